{# The ages in hours at which posts are measured, for models that give each a column: SQL has
   to be written before the seed of that name is there. A test holds that they are the same. #}
{% macro age_horizons() -%}
    {{ return([1, 6, 24, 72, 168]) }}
{%- endmacro %}
