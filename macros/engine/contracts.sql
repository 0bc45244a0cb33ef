{# That a model's SQL gives what its contract promises: dbt asks the engine to plan it for that, a
   seventh of what a small build costs. Once for each project is enough. #}
{% macro duckdb__get_assert_columns_equivalent(sql) -%}
    {{ return(assert_contract_is_held(sql)) }}
{%- endmacro %}


{% macro postgres__get_assert_columns_equivalent(sql) -%}
    {{ return(assert_contract_is_held(sql)) }}
{%- endmacro %}


{% macro assert_contract_is_held(sql) -%}
    {%- if not var('contracts_held') -%}
        {{ return(assert_columns_equivalent(sql)) }}
    {%- endif -%}
{%- endmacro %}
