{# Value of a cumulative count at age `t` between two polls: a straight line in log-log,
   in the plain scale where a logarithm does not exist, the value itself at a poll. #}
{% macro interpolate(t, age0, value0, age1, value1) -%}
    case
        when {{ age1 }} = {{ t }} then cast({{ value1 }} as {{ type_double() }})
        when {{ age0 }} = {{ t }} then cast({{ value0 }} as {{ type_double() }})
        when {{ value0 }} = {{ value1 }} then cast({{ value0 }} as {{ type_double() }})
        when {{ age0 }} = 0 or {{ value0 }} = 0 then
            {{ value0 }} + cast({{ value1 }} - {{ value0 }} as {{ type_double() }})
            * ({{ t }} - {{ age0 }}) / ({{ age1 }} - {{ age0 }})
        else exp(
            ln(cast({{ value0 }} as {{ type_double() }}))
            + ln(cast({{ t }} as {{ type_double() }}) / {{ age0 }})
            / ln(cast({{ age1 }} as {{ type_double() }}) / {{ age0 }})
            * ln(cast({{ value1 }} as {{ type_double() }}) / {{ value0 }})
        )
    end
{%- endmacro %}


{# How well the polls around a horizon pin its value down. #}
{% macro bracket_status(metric) -%}
    case
        when {{ metric }}_age1 is null then 'pending'
        when {{ metric }}_age1 = horizon_us then 'exact'
        when ({{ metric }}_age1 - {{ metric }}_age0) * 2 <= horizon_us then 'ok'
        when {{ metric }}_age1 - {{ metric }}_age0 <= horizon_us then 'coarse'
        else 'gap'
    end
{%- endmacro %}
