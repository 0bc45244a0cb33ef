{# The columns of the contract that this model's yml states, in their order. #}
{% macro promised_columns() -%}
    {{ model.columns | join(',\n        ') }}
{%- endmacro %}
