{# Whether a row of a mart is of every platform together, and so counts the rows of each again. #}
{% macro is_total(platform='platform') -%}
    {{ platform }} = 'all'
{%- endmacro %}
