{# Median of the numbers in an array, between the two middle ones of an even number; null
   for an empty or unknown array. Ordered aggregates cannot run over a window in Postgres,
   arrays can. #}
{% macro array_median(array) -%}
    {%- if target.type == 'postgres' -%}
        (select percentile_cont(0.5) within group (order by item) from unnest({{ array }}) as items (item))
    {%- else -%}
        list_median({{ array }})
    {%- endif -%}
{%- endmacro %}
