{# Schemas are named as the architecture names them. On Postgres and on Spark a build works in
   private schemas (`build_canonical`, ...); publication fills the public ones. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- else -%}
        {{ build_schema(custom_schema_name | trim) }}
    {%- endif -%}
{%- endmacro %}


{% macro build_schema(name) -%}
    {{ return(name if target.type == 'duckdb' else 'build_' ~ name) }}
{%- endmacro %}


{# A relation of build bookkeeping: meta.loads, meta.builds, meta.this_build, meta.consumed. #}
{% macro meta(name) -%}
    {{ return(build_schema('meta') ~ '.' ~ name) }}
{%- endmacro %}
