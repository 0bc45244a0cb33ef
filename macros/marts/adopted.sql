{# What marks a product (`source_platform`) and an experiment (`variation_label`) that were
   made for a post ACE did not make: ADOPTED in loaders/schema.py. #}
{% macro adopted_mark() -%}adopted{%- endmacro %}


{% macro is_adopted(mark) -%}
    coalesce({{ mark }} = '{{ adopted_mark() }}', false)
{%- endmacro %}
