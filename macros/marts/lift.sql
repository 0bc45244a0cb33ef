{# How much better an arm is than its control, relative to the control, and how sure that
   is. Checked against GrowthBook's gbstats. #}

{# Sample variance of `n` values from their sum and sum of squares; null under two values
   and where it is nothing but rounding. #}
{% macro sample_variance(n, sum, sum_squares) -%}
    case
        when {{ n }} > 1
            and {{ sum_squares }} - {{ sum }} * {{ sum }} / {{ n }} > 1e-9 * {{ sum_squares }}
            then ({{ sum_squares }} - {{ sum }} * {{ sum }} / {{ n }}) / ({{ n }} - 1)
    end
{%- endmacro %}


{# Logarithm of a relative change, ln(1 + lift). A change of -1 is one that is too near to it
   for a double to tell, and not nothing at all, which has no logarithm. #}
{% macro log_of_lift(lift) -%}
    ln(greatest(1 + {{ lift }}, 1e-16))
{%- endmacro %}


{# Relative difference of a mean from the control's; null when the control's is 0. #}
{% macro relative_lift(mean, control_mean) -%}
    (({{ mean }} - {{ control_mean }}) / nullif({{ control_mean }}, 0))
{%- endmacro %}


{# Variance of relative_lift by the delta method. #}
{% macro relative_lift_variance(mean, variance, n, control_mean, control_variance, control_n) -%}
    ({{ variance }} / nullif({{ control_mean }} * {{ control_mean }} * {{ n }}, 0)
        + {{ control_variance }} * {{ mean }} * {{ mean }}
        / nullif({{ control_mean }} * {{ control_mean }} * {{ control_mean }} * {{ control_mean }} * {{ control_n }}, 0))
{%- endmacro %}


{# How far a difference of means may lie from the truth, whenever and however often one looks:
   with chance 1 - `alpha` it never lies farther. `planned` is the `n` at which that is tightest
   (Waudby-Smith et al. 2023, equations 9 and 161; checked against gbstats). #}
{% macro always_valid_half_width(standard_error, n, planned, alpha) -%}
    {%- set alpha -%} cast({{ alpha }} as {{ type_double() }}) {%- endset -%}
    {%- set information -%}
    (1 + {{ n }} * (ln(1 - 2 * ln({{ alpha }})) - 2 * ln({{ alpha }})) / {{ planned }})
    {%- endset -%}
    {{ standard_error }} * sqrt(
        (2 * {{ information }} / ({{ information }} - 1))
        * (ln({{ information }}) / 2 - ln({{ alpha }}))
    )
{%- endmacro %}


{# Sum of squared distances from the mean of `n` values from their sum and sum of squares; 0
   without values. #}
{% macro squares_around_mean(n, sum, sum_squares) -%}
    greatest({{ sum_squares }} - {{ sum }} * coalesce({{ sum }} / nullif({{ n }}, 0), 0), 0)
{%- endmacro %}


{# Mean of a normal posterior under a prior around 0. #}
{% macro shrunk_to_zero(estimate, variance, prior_sd) -%}
    ({{ estimate }} / (1 + {{ variance }} / ({{ prior_sd }} * {{ prior_sd }})))
{%- endmacro %}


{# Deviation of that posterior. #}
{% macro shrunk_deviation(variance, prior_sd) -%}
    sqrt(cast(1 / (1 / {{ variance }} + 1 / ({{ prior_sd }} * {{ prior_sd }})) as {{ type_double() }}))
{%- endmacro %}


{# Standard deviation of ln(1 + lift), from the ends of the lift's 95% interval. #}
{% macro deviation_of_lift(low, high) -%}
    (({{ log_of_lift(high) }} - {{ log_of_lift(low) }}) / (2 * {{ z95() }}))
{%- endmacro %}


{# What is lost on average by taking an arm whose lift is normal, where it is the worse. #}
{% macro expected_loss(mean, deviation) -%}
    case
        when {{ mean }} is not null then greatest(
            {{ deviation }} * {{ normal_density(mean ~ ' / ' ~ deviation) }}
            - {{ mean }} * {{ normal_above('(' ~ mean ~ ' / ' ~ deviation ~ ')') }}, 0
        )
    end
{%- endmacro %}


{# Logarithm of the density of a Beta(alpha, beta) at `x`, between 0 and 1, but for what is the
   same everywhere. #}
{% macro beta_log_kernel(alpha, beta, x) -%}
    (({{ alpha }} - 1) * ln({{ x }}) + ({{ beta }} - 1) * ln(1 - {{ x }}))
{%- endmacro %}


{# Standard deviation of a Beta(alpha, beta). #}
{% macro beta_deviation(alpha, beta) -%}
    sqrt({{ alpha }} * {{ beta }} / (({{ alpha }} + {{ beta }}) * ({{ alpha }} + {{ beta }}) * ({{ alpha }} + {{ beta }} + 1)))
{%- endmacro %}
