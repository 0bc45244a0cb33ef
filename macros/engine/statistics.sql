{# Postgres plans joins by statistics, and a table just filled has none. #}
{% macro refresh_statistics() -%}
    {%- if target.type == 'postgres' and config.get('materialized') != 'view' -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
