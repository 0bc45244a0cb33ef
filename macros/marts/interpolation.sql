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


{# What `interpolate` grows between ages `t0` and `t1`, both between the two polls. Not its
   difference: next to a large count that hardly grows, nothing but rounding would be left. #}
{% macro growth_between(t0, t1, age0, value0, age1, value1) -%}
    {%- set slope -%}
        ln(cast({{ value1 }} as {{ type_double() }}) / {{ value0 }})
            / ln(cast({{ age1 }} as {{ type_double() }}) / {{ age0 }})
    {%- endset -%}
    case
        when {{ t0 }} = {{ age0 }} and {{ t1 }} = {{ age1 }}
            then cast({{ value1 }} - {{ value0 }} as {{ type_double() }})
        when {{ value0 }} = {{ value1 }} then 0
        when {{ age0 }} = 0 or {{ value0 }} = 0 then
            cast({{ value1 }} - {{ value0 }} as {{ type_double() }})
            * ({{ t1 }} - {{ t0 }}) / ({{ age1 }} - {{ age0 }})
        else
            {{ value0 }}
            * exp({{ slope }} * ln(cast({{ t0 }} as {{ type_double() }}) / {{ age0 }}))
            * {{ exp_less_one(
                '(' ~ slope ~ ' * ln(cast(' ~ t1 ~ ' as ' ~ type_double() ~ ') / ' ~ t0 ~ '))'
            ) }}
    end
{%- endmacro %}


{# exp(x) - 1 of an `x` of 0 or more, right next to 0, too, where no digits would be left. #}
{% macro exp_less_one(x) -%}
    case
        when {{ x }} < 0.001 then {{ x }} * (1 + {{ x }} / 2 * (1 + {{ x }} / 3 * (1 + {{ x }} / 4)))
        else exp({{ x }}) - 1
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
