{# That a model's SQL gives what its contract promises: dbt asks the engine to plan it for that, a
   seventh of what a small build costs. Once for each project is enough. Spark has its own. #}
{% macro default__get_assert_columns_equivalent(sql) -%}
    {%- if not var('contracts_held') -%}
        {{ return(assert_columns_equivalent(sql)) }}
    {%- endif -%}
{%- endmacro %}
