{# Statistics that dbt's engines do not have, or that must not depend on the order in
   which threads add numbers up. Each is checked against SciPy or NumPy. #}

{# The standard normal is within so much of 0 with a probability of 95%. #}
{% macro z95() -%}
    1.959963984540054
{%- endmacro %}


{# The same with a probability of 80%. #}
{% macro z80() -%}
    1.2815515655446004
{%- endmacro %}


{# A part of an exact sum that stays exact: parts of groups are added up with exact_sum. #}
{% macro exact_part(expression, scale=12) -%}
    sum(cast({{ expression }} as decimal(38, {{ scale }})))
{%- endmacro %}


{# Sum of doubles that is the same on every engine and for every order of the rows.
   `scale` is how many decimal places count. #}
{% macro exact_sum(expression, scale=12) -%}
    cast({{ exact_part(expression, scale) }} as {{ type_double() }})
{%- endmacro %}


{# Mean of the known values, summed exactly; null when none is known. #}
{% macro exact_mean(expression, scale=12) -%}
    ({{ exact_sum(expression, scale) }}
        / nullif(count({{ expression }}), 0))
{%- endmacro %}


{# A double rounded to nine significant digits: what ranks and thresholds compare, so
   that engines whose logarithms differ in the last bit still agree. Next to nothing is 0:
   the power of ten that would bring out its digits is infinite. #}
{% macro significant(value) -%}
    {%- if target.type == 'spark' -%}
        {#- Sail refuses to order by an expression that holds another twice, and writes 0 as no number. -#}
        try_cast(replace(format_string('%.8e', cast({{ value }} as double)), 'NaNe-2147483648', '0') as double)
    {%- else -%}
    case
        when abs({{ value }}) < 1e-290 then cast(0 as {{ type_double() }})
        else cast(round(cast({{ value }} as {{ type_double() }})
            * power(cast(10 as {{ type_double() }}), 8 - floor(log10(cast(abs({{ value }}) as {{ type_double() }})))))
            / power(cast(10 as {{ type_double() }}), 8 - floor(log10(cast(abs({{ value }}) as {{ type_double() }})))) as {{ type_double() }})
    end
    {%- endif -%}
{%- endmacro %}


{# Aggregate: median of the known values, between the two middle ones of an even number. #}
{% macro median_of(expression) -%}
    {{ quantile_of(expression, 0.5) }}
{%- endmacro %}


{# Aggregate: quantile `p` of the known values, straight between neighbours (type 7). #}
{% macro quantile_of(expression, p) -%}
    {%- if target.type == 'spark' -%}
        percentile(cast({{ expression }} as double), {{ p }})
    {%- else -%}
        percentile_cont({{ p }}) within group (order by cast({{ expression }} as {{ type_double() }}))
    {%- endif -%}
{%- endmacro %}


{# Share of the rows of a partition that are below a row's value, ties counted half
   (mid-rank), of 0 to 1. `value` should be `significant()`; rows where it is null must
   be kept out by the caller, or not be `counted`. #}
{% macro mid_rank(value, partition_by, counted='*') -%}
    (
        cast(rank() over (partition by {{ partition_by }} order by {{ value }} nulls last) - 1 as {{ type_double() }})
        + 0.5 * count(*) over (partition by {{ partition_by }}, {{ value }})
    ) / count({{ counted }}) over (partition by {{ partition_by }})
{%- endmacro %}


{# Mid-rank of a row among the rows of its partition whose value is known; null where its own
   is not, or no other is. #}
{% macro rank_among_several(value, partition_by) -%}
    case
        when {{ value }} is not null and count({{ value }}) over (partition by {{ partition_by }}) >= 2
            then {{ mid_rank(value, partition_by, value) }}
    end
{%- endmacro %}


{# Mean of the known ones of several columns of a row; null when none is known. #}
{% macro mean_of_known(columns) -%}
    ({% for column in columns %}coalesce({{ column }}, 0){{ ' + ' if not loop.last }}{% endfor %})
    / nullif({% for column in columns %}case when {{ column }} is null then 0 else 1 end{{ ' + ' if not loop.last }}{% endfor %}, 0)
{%- endmacro %}


{# Probability that a standard normal value is above `z`: right to seven digits of
   itself at any distance, which small p values need (rational fit of erfc). #}
{% macro normal_above(z) -%}
    {%- set x = '(abs(' ~ z ~ ') / sqrt(cast(2 as ' ~ type_double() ~ ')))' -%}
    {%- set t = '(1.0 / (1.0 + 0.5 * ' ~ x ~ '))' -%}
    {%- set tail -%}
        0.5 * {{ t }} * exp(greatest(
            -700, -{{ x }} * {{ x }} - 1.26551223 + {{ t }} * (1.00002368 + {{ t }} * (0.37409196
            + {{ t }} * (0.09678418 + {{ t }} * (-0.18628806 + {{ t }} * (0.27886807 + {{ t }} * (-1.13520398
            + {{ t }} * (1.48851587 + {{ t }} * (-0.82215223 + {{ t }} * 0.17087277))))))))
        ))
    {%- endset -%}
    (case when {{ z }} >= 0 then {{ tail }} else 1 - {{ tail }} end)
{%- endmacro %}


{# Probability that a standard normal value is below `z`. #}
{% macro normal_below(z) -%}
    {{ normal_above('(-(' ~ z ~ '))') }}
{%- endmacro %}


{# Density of the standard normal at `z`. #}
{% macro normal_density(z) -%}
    (exp(greatest(-700, -0.5 * ({{ z }}) * ({{ z }}))) / sqrt(2 * pi()))
{%- endmacro %}


{# Quantile of a Gamma(shape, rate) at the standard normal quantile `z`
   (Wilson and Hilferty's cube; within a percent for shapes of 1 and more, never below 0). #}
{% macro gamma_quantile(shape, rate, z) -%}
    (({{ shape }}) * power(cast(greatest(
        1 - 1 / (9.0 * ({{ shape }})) + ({{ z }}) / (3.0 * sqrt(cast({{ shape }} as {{ type_double() }}))), 0
    ) as {{ type_double() }}), 3) / ({{ rate }}))
{%- endmacro %}


{# Lower end of Wilson's 95% interval of a share; null without a trial. #}
{% macro wilson_low(successes, trials) -%}
    {%- set z = z95() | float -%}
    {%- set p = ratio('least(' ~ successes ~ ', ' ~ trials ~ ')', trials) -%}
    {%- set n = 'nullif(cast(' ~ trials ~ ' as ' ~ type_double() ~ '), 0)' -%}
    case when {{ trials }} > 0 then greatest((
        {{ p }} + {{ z * z }} / (2 * {{ n }})
        - {{ z }} * sqrt(({{ p }} * (1 - {{ p }}) + {{ z * z }} / (4 * {{ n }})) / {{ n }})
    ) / (1 + {{ z * z }} / {{ n }}), 0) end
{%- endmacro %}


{# Weight of something that old: half after every `half_life`, in the same unit. After a
   thousand of them it stays where it is: smaller numbers are 0 or an error. #}
{% macro half_life_weight(age, half_life) -%}
    power(
        cast(0.5 as {{ type_double() }}),
        least(cast({{ age }} as {{ type_double() }}) / {{ half_life }}, 1000)
    )
{%- endmacro %}
