{# Student's t by way of the normal distribution. Each macro is checked against SciPy. #}

{# Probability that a t value with that many degrees of freedom is further from 0 than
   `t` (Wallace: from 9 degrees of freedom up right to 0.3% of itself, to 2% where it is under
   one in ten thousand; from 4 up to 2% and 10%); at most 1, which the fit of the normal distribution is just above. #}
{% macro student_two_sided(t, df) -%}
    least(2 * {{ normal_above(
        '((8 * (' ~ df ~ ') + 1) / (8 * (' ~ df ~ ') + 3) * sqrt((' ~ df ~ ') * ln(1 + (' ~ t ~ ') * (' ~ t ~ ') / (' ~ df ~ '))))'
    ) }}, 1)
{%- endmacro %}


{# Quantile of Student's t at the standard normal quantile `z`, a literal number
   (Cornish and Fisher: right to 0.0003 from 5 degrees of freedom up, to 0.001 from 4). #}
{% macro student_quantile(z, df) -%}
    (
        {{ z }}
        + {{ (z ** 3 + z) / 4 }} / ({{ df }})
        + {{ (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 }} / (({{ df }}) * ({{ df }}))
        + {{ (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 }} / (({{ df }}) * ({{ df }}) * ({{ df }}))
        + {{ (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160 }}
        / (({{ df }}) * ({{ df }}) * ({{ df }}) * ({{ df }}))
    )
{%- endmacro %}
