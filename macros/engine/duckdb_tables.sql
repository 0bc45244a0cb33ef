{# On DuckDB a table, a view and what an increment adds to a table are one statement and one
   transaction each. The adapter's own make a table of another name beside, ask for indexes, rename
   twice and drop, each in a context of its own: a fifth of what an increment cost. #}
{% materialization table, adapter='duckdb' -%}
    {{ return(duckdb_model('table', duckdb_table)) }}
{%- endmaterialization %}


{% materialization view, adapter='duckdb' -%}
    {{ return(duckdb_model('view', duckdb_view)) }}
{%- endmaterialization %}


{% materialization incremental, adapter='duckdb' -%}
    {{ return(duckdb_model('table', duckdb_increment if is_incremental() else duckdb_table)) }}
{%- endmaterialization %}


{# A model in its transaction; `statements` gives the SQL that makes it. #}
{% macro duckdb_model(type, statements) %}
    {%- set before = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type=type) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if before is not none and before.type != type -%}
        {#- A view cannot be replaced by a table, nor the other way. -#}
        {%- do adapter.drop_relation(before) -%}
    {%- endif -%}
    {%- call statement('main') -%}{{ statements(target_relation, compiled_code) }}{%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmacro %}


{% macro duckdb_view(relation, sql) -%}
    {%- if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(sql) }}{%- endif -%}
    create or replace view {{ relation }} as (
    {{ sql }}
    )
{%- endmacro %}


{% macro duckdb_table(relation, sql) -%}
    {%- if config.get('contract').enforced -%}
    {{ get_assert_columns_equivalent(sql) }}
    create or replace table {{ relation }} {{ get_table_columns_and_constraints() }};
    insert into {{ relation }} {{ get_column_names() }} (
    {{ get_select_subquery(sql) }}
    )
    {%- else -%}
    create or replace table {{ relation }} as (
    {{ sql }}
    )
    {%- endif -%}
{%- endmacro %}


{# What the strategy of an incremental model makes of the rows that were worked out. #}
{% macro duckdb_increment(relation, sql) -%}
    {%- set made = api.Relation.create(identifier=this.identifier ~ '__made', type='table') -%}
    {%- if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(sql) }}{%- endif -%}
    {%- call statement('made') -%}
        create or replace temporary table {{ made }} as (
        {{ sql }}
        )
    {%- endcall -%}
    {%- set columns = duckdb_columns(relation) -%}
    {#- The insert would pass over a column that is new. -#}
    {%- if columns | sort(attribute='name') != duckdb_columns(made) | sort(attribute='name') -%}
        {{ exceptions.raise_compiler_error(
            'The SQL of ' ~ this ~ ' gives other columns than its table has: build with --full-refresh.'
        ) }}
    {%- endif -%}
    {{ strategy_sql(relation, made, columns) }};
    drop table {{ made }}
{%- endmacro %}


{# Columns of a relation, asked without the context of its own that the adapter's question has. #}
{% macro duckdb_columns(relation) -%}
    {%- set columns = [] -%}
    {%- for row in run_query('select column_name, column_type from (describe ' ~ relation ~ ')').rows -%}
        {%- do columns.append(api.Column.create(row[0], row[1])) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
