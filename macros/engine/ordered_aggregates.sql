{# Aggregate: the value of the row that comes first by `position`, among the rows that meet
   `condition`; null when none does. The first row must be the only one at its position. #}
{% macro first_by(value, position, condition) -%}
    {%- if target.type == 'postgres' -%}
        (array_agg({{ value }} order by {{ position }}) filter (where {{ condition }}))[1]
    {%- else -%}
        arg_min({{ value }}, {{ position }}) filter (where {{ condition }})
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
    {%- else -%}
        max({{ value }}, {{ number }})
    {%- endif -%}
{%- endmacro %}
