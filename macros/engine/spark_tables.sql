{# On Spark every build writes its tables in a place of its own, and files that were written never
   change: when every test has passed, a pointer says which folder is which table (warehouse/spark/).
   An incremental model writes a new version beside the one of the build before, which `this` is
   until then. #}
{% materialization incremental, adapter='spark' -%}
    {{ return(spark_increment() if is_incremental() else spark_table()) }}
{%- endmaterialization %}


{% materialization table, adapter='spark' -%}
    {{ return(spark_table()) }}
{%- endmaterialization %}


{% macro spark_table() %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set kept = [] -%}
    {%- set sql = with_steps_kept(with_doubles(compiled_code), kept) -%}
    {#- The one of the build before, whose files stay. -#}
    {%- set before = load_cached_relation(this) -%}
    {%- call statement('dropped') -%}
        drop {{ 'view' if before and before.is_view else 'table' }} if exists {{ target_relation }}
    {%- endcall -%}
    {%- call statement('main') -%}
        {{ create_table_as(false, target_relation, sql) }}
    {%- endcall -%}
    {%- do drop_spark_tables(kept) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmacro %}


{% macro drop_spark_tables(names) %}
    {%- for name in names -%}
        {%- call statement('dropped') -%}drop table {{ name }}{%- endcall -%}
    {%- endfor -%}
{% endmacro %}


{# The next version of an incremental table: what its strategy keeps of this one and what it adds.
   Where that is this one, it stays, with its files. #}
{% macro spark_increment() %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set made = build_schema('scratch') ~ '.' ~ this.identifier ~ '__made' -%}
    {%- set next = build_schema('scratch') ~ '.' ~ this.identifier ~ '__next' -%}
    {{ run_hooks(pre_hooks) }}
    {%- set scratch = [] -%}
    {%- set sql = with_steps_kept(with_doubles(compiled_code), scratch) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
        {%- set sql = get_select_subquery(sql) -%}
    {%- endif -%}
    {%- call statement('made') -%}
        create table {{ made }} using parquet {{ spark_location(made) }} as
        {{ sql }}
    {%- endcall -%}
    {%- do scratch.append(made) -%}
    {%- set columns = adapter.get_columns_in_relation(target_relation) -%}
    {%- set version = strategy_sql(target_relation, made, columns) | trim -%}
    {%- if version -%}
        {%- set place = spark_location(this.schema ~ '.' ~ this.identifier) -%}
        {%- call statement('main') -%}
            create table {{ next }} using parquet {{ place }} as
            {{ version }}
        {%- endcall -%}
        {%- do scratch.append(next) -%}
        {%- if spark_differs(target_relation, next, columns) -%}
            {%- call statement('dropped') -%}drop table {{ target_relation }}{%- endcall -%}
            {%- call statement('named') -%}
                create table {{ target_relation }} (
                    {%- for column in columns -%}
                    {{ column.quoted }} {{ column.dtype }}{{ ', ' if not loop.last }}
                    {%- endfor -%}
                ) using parquet {{ place }}
            {%- endcall -%}
        {%- endif -%}
    {%- else -%}
        {%- call noop_statement('main', 'unchanged', 'unchanged', '0') -%}{%- endcall -%}
    {%- endif -%}
    {%- do drop_spark_tables(scratch) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmacro %}


{# Whether the next version of a table is another one. Of rows with the number of a build none is of
   this one where all are as they were, which is asked of the next version rather than before: rows
   are compared once. #}
{% macro spark_differs(target, next, columns) -%}
    {%- if '_build' not in columns | map(attribute='name') -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set counts = run_query(
        'select (select count(*) from ' ~ target ~ '), count(*), max(_build), '
        ~ build_number() ~ ' from ' ~ next
    ).rows[0] -%}
    {{ return(counts[0] != counts[1] or counts[2] == counts[3]) }}
{%- endmacro %}


{# The select of the next version: the rows that stay, and those worked out, each with the `_build`
   it has where it is as it was; nothing where none was worked out and none goes. A row whose key was
   worked out is among those that go. Each condition stands for itself and rows are compared by a
   join: Sail does not plan an `or` of questions. #}
{% macro spark__replace_rows(arg_dict, gone, same) -%}
    {%- set target, temp = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set build = adapter.quote('_build') -%}
    {%- set of_kept = 'from ' ~ target ~ ' as kept\n    where not (' ~ gone | join(')\n    and not (') ~ ')' -%}
    {%- set of_made = 'from ' ~ temp ~ ' as made' -%}
    {%- if same -%}
        {%- set of_made = of_made ~ '\n    left join ' ~ target ~ ' as kept\n    on ' ~ same -%}
    {%- endif -%}
    {%- set stays = false -%}
    {%- if not run_query('select 1 from ' ~ temp ~ ' limit 1').rows -%}
        {%- set counts = run_query('select (select count(*) from ' ~ target ~ '), (select count(*) ' ~ of_kept ~ ')').rows[0] -%}
        {%- set stays = counts[0] == counts[1] -%}
    {%- endif -%}
    {%- if not stays -%}
    select kept.{{ columns | join(', kept.') }}
    {{ of_kept }}
    union all
    select
        {%- for column in columns %}
        {{ 'coalesce(kept.' ~ column ~ ', made.' ~ column ~ ')' if same and column == build else 'made.' ~ column }}
        {{- ' as ' ~ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    {{ of_made }}
    {%- endif -%}
{%- endmacro %}


{# The strategy delete+insert: rows whose key was worked out go. #}
{% macro spark__get_incremental_delete_insert_sql(arg_dict) -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set same = [] -%}
    {%- for name in ([key] if key is string else key) -%}
        {%- do same.append('made.' ~ name ~ ' = kept.' ~ name) -%}
    {%- endfor -%}
    {{ replace_rows(arg_dict, gone=[
        'exists (select 1 from ' ~ arg_dict['temp_relation'] ~ ' as made where ' ~ same | join(' and ') ~ ')'
    ]) }}
{%- endmacro %}


{# SQL in which a number with a point is a double, as it becomes one beside a double elsewhere; on
   Spark it is a decimal, and Sail makes its neighbours decimals of fifteen places. #}
{% macro with_doubles(sql) %}
    {%- set parts = [] -%}
    {%- for part in modules.re.sub('(?m)^ *--.*$', '', sql).split("'") -%}
        {%- do parts.append(
            modules.re.sub('(?<![A-Za-z0-9_.])([0-9]+[.][0-9]+)(?![A-Za-z0-9_.])', '\\1D', part)
            if loop.index is odd else part
        ) -%}
    {%- endfor -%}
    {{ return(parts | join("'")) }}
{% endmacro %}


{# Literals with a point are doubles in tests, too, as in models (with_doubles). #}
{% macro spark__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {{ default__get_test_sql(with_doubles(main_sql), fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}


{# The SQL of a model after each of its steps that is `computed_once` was written to a table, whose
   names `kept` takes: Spark computes a step anew for each of its readers, and of a chain of steps
   that are read twice the last would be computed without end. A step begins and ends with a line
   that is not indented. #}
{% macro with_steps_kept(sql, kept) %}
    {%- set steps = [] -%}
    {%- set head = [] -%}
    {%- set read = namespace(name=none, once=false, body=[], tail=[], started=false) -%}
    {%- for line in sql.split('\n') -%}
        {%- set begins = modules.re.match('([a-z_0-9]+) as (/[*] once [*]/)? *[(] *$', line) -%}
        {%- if read.name is none and begins and not read.tail -%}
            {%- set read.name = begins.group(1) -%}
            {%- set read.once = begins.group(2) is not none -%}
            {%- set read.body = [] -%}
        {%- elif read.name is not none and line.rstrip() in (')', '),') -%}
            {%- do steps.append((read.name, read.once, read.body | join('\n'))) -%}
            {%- set read.name = none -%}
        {%- elif read.name is not none -%}
            {%- do read.body.append(line) -%}
        {%- elif not steps -%}
            {%- do head.append(line) -%}
        {%- elif (line.strip() and not line.startswith('--')) or read.tail -%}
            {%- do read.tail.append(line) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if read.name is not none or (head | join(' ')).split() | last | default('') != 'with' -%}
        {{ return(sql) }}
    {%- endif -%}
    {%- set before = [] -%}
    {%- for name, once, body in steps -%}
        {%- if once -%}
            {%- set step = build_schema('scratch') ~ '.' ~ model['alias'] ~ '__' ~ name -%}
            {%- set create =
                'create table ' ~ step ~ ' using parquet ' ~ spark_location(step) ~ ' as\n'
                ~ ('with ' ~ before | join(',\n') ~ '\n' if before else '')
                ~ 'select * from (\n' ~ body ~ '\n) as step' -%}
            {%- call statement('kept') -%}{{ create }}{%- endcall -%}
            {%- do kept.append(step) -%}
            {%- do before.append(name ~ ' as (select * from ' ~ step ~ ')') -%}
        {%- else -%}
            {%- do before.append(name ~ ' as (\n' ~ body ~ '\n)') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return('with ' ~ before | join(',\n') ~ '\n' ~ read.tail | join('\n')) }}
{% endmacro %}


{# The clause that says where the files of a table are: below the folder of the build, which
   `ace build` names. #}
{% macro spark_location(table) -%}
    location '{{ env_var("ACE_SPARK_TABLES") }}/{{ table | replace(".", "/") }}'
{%- endmacro %}


{% macro spark__location_clause() -%}
    {{ spark_location(this.schema ~ '.' ~ this.identifier) }}
{%- endmacro %}


{# The rows of a seed as literals: bindings of a session write an empty cell as a word. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set sql -%}
        insert into {{ this.render() }} values
        {%- for row in agate_table.rows %}
        (
            {%- for name in agate_table.column_names -%}
                {%- set value = row[name] -%}
                {%- set text = "'" ~ (value | string | replace('\\', '\\\\') | replace("'", "\\'")) ~ "'" -%}
                cast({{ 'null' if value is none else text }} as {{ types.get(name, adapter.convert_type(agate_table, loop.index0)) }})
                {{- ', ' if not loop.last -}}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=true) -%}
    {{ return(sql) }}
{% endmacro %}


{# What a contract promises: on Spark counts and ranks have narrower types than elsewhere, so each
   column is cast to the type promised; that all are there, and no others, is asked. #}
{% macro spark__get_assert_columns_equivalent(sql) -%}
    {%- do contracted_columns(sql) -%}
{%- endmacro %}


{# The columns of a model's SQL in its order, after asking whether they are those promised. #}
{% macro contracted_columns(sql) -%}
    {%- set found = get_column_schema_from_query(sql) | map(attribute='name') | list -%}
    {%- set promised = model['columns'].keys() | list -%}
    {%- if found | sort != promised | sort -%}
        {{ exceptions.raise_compiler_error(
            'The contract of ' ~ this ~ ' promises ' ~ promised | join(', ') ~ '; its SQL gives ' ~ found | join(', ') ~ '.'
        ) }}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}


{% macro spark__get_select_subquery(sql, names=none) -%}
    select
        {%- for name in names or model['columns'].keys() %}
        {{ spark__cast(name, model['columns'][name]['data_type']) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ sql }}
    ) as contracted
{%- endmacro %}


{# A view gives its columns in the types promised, too, and in its own order. #}
{% macro spark__create_view_as(relation, sql) -%}
    {%- if config.get('contract').enforced -%}
        {%- set sql = spark__get_select_subquery(sql, contracted_columns(sql)) -%}
    {%- endif -%}
    create or replace view {{ relation }} as
    {{ with_doubles(sql) }}
{%- endmacro %}
