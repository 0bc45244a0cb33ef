{# Student's t by way of the normal distribution. Each macro is checked against SciPy. #}

{# Probability that a t value with that many degrees of freedom is further from 0 than
   `t` (Wallace: from 9 degrees of freedom up right to 0.3% of itself, to 2% where it is under
   one in ten thousand); at most 1, which the fit of the normal distribution is just above. #}
{% macro student_two_sided(t, df) -%}
    least(2 * {{ normal_above(
        '((8 * (' ~ df ~ ') + 1) / (8 * (' ~ df ~ ') + 3) * sqrt((' ~ df ~ ') * ln(1 + (' ~ t ~ ') * (' ~ t ~ ') / (' ~ df ~ '))))'
    ) }}, 1)
{%- endmacro %}


{# Quantile of Student's t at the standard normal quantile `z`, a literal number
   (Cornish and Fisher: right to 0.0003 from 9 degrees of freedom up). #}
{% macro student_quantile(z, df) -%}
    (
        {{ z }}
        + {{ (z ** 3 + z) / 4 }} / ({{ df }})
        + {{ (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 }} / (({{ df }}) * ({{ df }}))
        + {{ (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 }} / (({{ df }}) * ({{ df }}) * ({{ df }}))
    )
{%- endmacro %}
