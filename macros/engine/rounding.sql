{# Comparisons of computed doubles. Engines, threads and the order of additions change their
   last bits, so a bare `<=` between two of them fails by chance: rules of models and
   thresholds compare through these. Null when either side is unknown; never true of NaN.

   What is rounding is said here once: a 1e-9th of the smaller of both sides, or of `scale`
   where they are differences of numbers of that size (exp(x) - 1 is one of 1: next to 0 it
   is no better known than 1 is). Never less than 1e-307: a smaller product is an error on
   some engines. #}
{% macro rounding(one, other, scale=0) -%}
    cast(1e-9 as {{ type_double() }})
    * greatest(
        least(abs({{ as_double(one) }}), abs({{ as_double(other) }}), cast(1e307 as {{ type_double() }})),
        {{ as_double(scale) }},
        cast(1e-298 as {{ type_double() }})
    )
{%- endmacro %}


{# Not above `most`, but for rounding. #}
{% macro at_most(value, most, scale=0) -%}
    (({{ value }}) - ({{ most }}) <= {{ rounding(value, most, scale) }})
{%- endmacro %}


{# Not below `least`, but for rounding. #}
{% macro at_least(value, least, scale=0) -%}
    {{ at_most(least, value, scale) }}
{%- endmacro %}


{# Below `bound` by more than rounding. #}
{% macro less_than(value, bound, scale=0) -%}
    (({{ value }}) - ({{ bound }}) < -{{ rounding(value, bound, scale) }})
{%- endmacro %}


{# Above `bound` by more than rounding. #}
{% macro more_than(value, bound, scale=0) -%}
    {{ less_than(bound, value, scale) }}
{%- endmacro %}


{# From `least` to `most`, but for rounding. #}
{% macro within(value, least, most, scale=0) -%}
    ({{ at_least(value, least, scale) }} and {{ at_most(value, most, scale) }})
{%- endmacro %}


{# Below infinity on either side, and a number. #}
{% macro is_finite(value) -%}
    (abs({{ value }}) < cast('infinity' as {{ type_double() }}))
{%- endmacro %}


{# A number with the other sign; `scale` is the places of a decimal, whose negative Sail puts its
   point in another place of. #}
{% macro negated(number, scale=none) -%}
    {%- if target.type == 'spark' and scale is not none -%}
        cast(cast(0 as decimal(38, {{ scale }})) - {{ number }} as decimal(38, {{ scale }}))
    {%- else -%}
        -{{ number }}
    {%- endif -%}
{%- endmacro %}
