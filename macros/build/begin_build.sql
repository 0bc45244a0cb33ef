{# Opens a build, before any model runs: pins the loads it will see, fixes its as-of
   time and gives it a number. Everything a model reads afterwards follows from these
   three, so loads that land meanwhile wait for the next build. #}
{% macro begin_build() %}
    {#- On Spark `ace build` has done this before dbt began (warehouse/spark/opening.py). -#}
    {%- if execute and flags.WHICH in ('run', 'build') and target.type != 'spark' -%}
        {%- do create_bookkeeping() -%}
        {%- do pin_loads() -%}
        {%- do open_build() -%}
    {%- endif -%}
{% endmacro %}


{% macro create_bookkeeping() %}
    {%- for schema in ['raw', build_schema('meta')] -%}
        {#- Looked for first: on Postgres the statement wants the right to even where it is there. -#}
        {%- if not adapter.check_schema_exists(target.database, schema) -%}
            {%- do run_query('create schema if not exists ' ~ schema) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do run_query(
        'create table if not exists ' ~ meta('builds') ~ ' ('
        ~ 'build bigint not null, started_at ' ~ type_timestamptz() ~ ' not null, '
        ~ 'as_of ' ~ type_timestamptz() ~ ' not null, invocation_id ' ~ dbt.type_string() ~ ')'
    ) -%}
    {%- do run_query(
        'create table if not exists ' ~ meta('this_build')
        ~ ' (build bigint not null, as_of ' ~ type_timestamptz() ~ ' not null)'
    ) -%}
    {%- do run_query(
        'create table if not exists ' ~ meta('consumed')
        ~ ' (model ' ~ dbt.type_string() ~ ' not null, build bigint not null)'
    ) -%}
    {# Written when a build passed, by `warehouse.release`. #}
    {%- do run_query(
        'create table if not exists ' ~ meta('passed') ~ ' (build bigint, fingerprint '
        ~ dbt.type_string() ~ ', git_revision ' ~ dbt.type_string() ~ ', dbt_version '
        ~ dbt.type_string() ~ ', invocation_id ' ~ dbt.type_string() ~ ')'
    ) -%}
{% endmacro %}


{% macro open_build() %}
    {%- set as_of -%}
        {%- if var('as_of', none) -%}
            cast('{{ var("as_of") }}' as {{ type_timestamptz() }})
        {%- else -%}
            {%- set latest = var('as_of_at_most') %}
            coalesce(
                {% if latest %}least({% endif -%}
                greatest((select max(landed_at) from {{ meta('loads') }}), {{ newest_heartbeat() }})
                {%- if latest %}, cast('{{ latest }}' as {{ type_timestamptz() }})){% endif %},
                cast('{{ var("earliest_time") }}' as {{ type_timestamptz() }})
            )
        {%- endif -%}
    {%- endset -%}
    {%- set next = 'select coalesce(max(build), 0) + 1 from ' ~ meta('builds') -%}
    {%- if not flags.FULL_REFRESH -%}
        {%- set backwards = run_query(
            'select cast(max(as_of) as ' ~ dbt.type_string() ~ ') from ' ~ meta('builds')
            ~ ' where build = (select max(build) from ' ~ meta('builds') ~ ') having max(as_of) > ' ~ as_of
        ) -%}
        {%- if backwards.rows | length > 0 -%}
            {{ exceptions.raise_compiler_error(
                'This build would be as of an earlier time than the one before ('
                ~ backwards.rows[0][0] ~ '): add --full-refresh, or build into another file.'
            ) }}
        {%- endif -%}
    {%- endif -%}
    {%- do run_query(
        'insert into ' ~ meta('builds') ~ ' select (' ~ next ~ '), current_timestamp, ' ~ as_of
        ~ ", '" ~ invocation_id ~ "'"
    ) -%}
    {%- do run_query('delete from ' ~ meta('this_build')) -%}
    {%- do run_query(
        'insert into ' ~ meta('this_build') ~ ' select build, as_of from ' ~ meta('builds')
        ~ ' where build = (select max(build) from ' ~ meta('builds') ~ ')'
    ) -%}
    {%- if target.type == 'postgres' -%}{%- do run_query('commit') -%}{%- endif -%}
{% endmacro %}


{# The as-of time of this build; unit tests override it. #}
{% macro as_of() -%}
    (select as_of from {{ meta('this_build') }})
{%- endmacro %}


{# Condition: the row of landing is known by the as-of time. A load has rows that its table does not
   hold for as long as this hides any of them, which makes the table stale (warehouse/build/stale.py):
   models that decide on rows as they arrive read the time this way. #}
{% macro known_by_now() -%}
    _known_at <= {{ as_of() }}
{%- endmacro %}


{# The number of this build, written on every row it changes; unit tests override it. #}
{% macro build_number() -%}
    (select build from {{ meta('this_build') }})
{%- endmacro %}
