{# Median of the numbers in an array, between the two middle ones of an even number; null
   for an empty or unknown array. Ordered aggregates cannot run over a window in Postgres,
   arrays can. #}
{% macro array_median(array) -%}
    {%- if target.type == 'postgres' -%}
        (select percentile_cont(0.5) within group (order by item) from unnest({{ array }}) as items (item))
    {%- elif target.type == 'spark' -%}
        {%- set sorted = 'array_sort(' ~ array ~ ')' -%}
        case
            when array_size({{ array }}) > 0
            then (
                element_at({{ sorted }}, cast((array_size({{ array }}) + 1) div 2 as integer))
                + element_at({{ sorted }}, cast(array_size({{ array }}) div 2 + 1 as integer))
            ) / 2
        end
    {%- else -%}
        list_median({{ array }})
    {%- endif -%}
{%- endmacro %}


{# The median over a window's frame, in two steps: first the aggregate that is taken over it,
   then the median of what that gave. DuckDB slides the median itself along, Apache Spark takes
   none over a frame. #}
{% macro frame_values(expression) -%}
    {{ 'median' if target.type == 'duckdb' else 'array_agg' }}({{ expression }})
{%- endmacro %}


{% macro frame_median(values) -%}
    {%- if target.type == 'duckdb' -%}
        {{ values }}
    {%- else -%}
        {#- Arrays of Sail hold nulls, too. -#}
        {{ array_median('array_compact(' ~ values ~ ')' if target.type == 'spark' else values) }}
    {%- endif -%}
{%- endmacro %}
