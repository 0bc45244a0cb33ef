{# Aggregate: the value of the row that comes first by `position`, among the rows that meet
   `condition`; null when none does. The first row must be the only one at its position. #}
{% macro first_by(value, position, condition) -%}
    {%- if target.type == 'postgres' -%}
        (array_agg({{ value }} order by {{ position }}) filter (where {{ condition }}))[1]
    {%- else -%}
        {{ 'min_by' if target.type == 'spark' else 'arg_min' }}({{ value }}, {{ position }}) filter (where {{ condition }})
    {%- endif -%}
{%- endmacro %}


{# Aggregate: the value of the row that comes last by `position`, a number, among the rows
   that meet `condition`; null when none does. #}
{% macro last_by(value, position, condition) -%}
    {{ first_by(value, '-(' ~ position ~ ')', condition) }}
{%- endmacro %}


{# Aggregate: the largest `number` of values, as an array from the largest down. #}
{% macro largest(value, number) -%}
    {%- if target.type == 'postgres' -%}
        (array_agg({{ value }} order by {{ value }} desc))[1:{{ number }}]
    {%- elif target.type == 'spark' -%}
        slice(sort_array(collect_list({{ value }}), false), 1, {{ number }})
    {%- else -%}
        max({{ value }}, {{ number }})
    {%- endif -%}
{%- endmacro %}


{# Aggregate: the known value of the row that is latest by `time`; null when none is known. #}
{% macro latest_known(value, time) -%}
    {%- if target.type == 'spark' -%}
        max_by({{ value }}, {{ time }}) filter (where {{ value }} is not null)
    {%- else -%}
        (array_agg({{ value }} order by {{ time }} desc) filter (where {{ value }} is not null))[1]
    {%- endif -%}
{%- endmacro %}


{# Aggregate: the values in the order of `place`, as an array. #}
{% macro ordered_array(value, place) -%}
    {%- if target.type == 'spark' -%}
        transform(
            array_sort(collect_list(named_struct('place', {{ place }}, 'value', {{ value }}))), item -> item.value
        )
    {%- else -%}
        array_agg({{ value }} order by {{ place }})
    {%- endif -%}
{%- endmacro %}


{# Aggregate: texts put together in the order of `place`, among the rows that meet `condition`;
   null when none does. #}
{% macro joined_text(text, separator, place, condition=none) -%}
    {%- if target.type == 'spark' -%}
        listagg({{ text }}, '{{ separator }}') within group (order by {{ place }})
    {%- else -%}
        string_agg({{ text }}, '{{ separator }}' order by {{ place }})
    {%- endif -%}
    {%- if condition %} filter (where {{ condition }}){% endif -%}
{%- endmacro %}


{# Aggregate: quantiles of the known values, straight between neighbours (type 7), as an array. #}
{% macro quantiles_of(expression, shares) -%}
    {%- if target.type == 'spark' -%}
        percentile({{ expression }}, array({{ shares | join(', ') }}))
    {%- else -%}
        percentile_cont(array[{{ shares | join(', ') }}]) within group (order by {{ expression }})
    {%- endif -%}
{%- endmacro %}
