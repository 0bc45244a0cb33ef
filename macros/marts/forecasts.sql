{# How many views a post will have at a later age, from its polls up to now. One fit serves the
   live forecasts and the backtest, so that the accuracy is that of the method. #}

{# Forecasts start from polls of an age from one of these hours up to the next. #}
{% macro forecast_origins() -%}
    {{ return(age_horizons()[:-1]) }}
{%- endmacro %}


{# The ages that are forecast. #}
{% macro forecast_targets() -%}
    {{ return(age_horizons()[2:]) }}
{%- endmacro %}


{# A number from 0 to 1 that a post keeps, from the last two digits of its key: 256 steps. #}
{% macro lot_of_post(post_id) -%}
    {%- set digit -%}
        position(substr(cast({{ post_id }} as {{ type_text() }}), PLACE, 1) in '0123456789abcdef')
    {%- endset -%}
    ((16 * {{ digit | replace('PLACE', '35') }} + {{ digit | replace('PLACE', '36') }} - 16.5) / 256)
{%- endmacro %}


{# Views as growth takes them: from none, which nothing grows from, one more than there are. #}
{% macro grown_from(views) -%}
    ({{ views }} + case when from_zero then 1 else 0 end)
{%- endmacro %}


{# The views that grown ones stand for. #}
{% macro grown_to(views) -%}
    ({{ views }} - case when from_zero then 1 else 0 end)
{%- endmacro %}


{# Coefficients of the growth, in the order of `growth_features`. #}
{% macro growth_coefficients() -%}
    {{ return(['constant', 'no_slope', 'slope', 'slope_squared', 'size']) }}
{%- endmacro %}


{# How many pseudo-observations draw each of them to constant scaling. Of few posts a bend of the
   slope, whose square is large where the slope is unusual, and the size tell least. #}
{% macro growth_ridges() -%}
    {{ return([5, 5, 5, 100, 20]) }}
{%- endmacro %}


{# The newest posts that a fit is made of. What posts without views come to is one number, for which
   fewer do: those nearest to what is ahead. #}
{% macro posts_of_fit() -%}
    case
        when from_zero then {{ var('forecast_training_posts_from_zero') }}
        else {{ var('forecast_training_posts') }}
    end
{%- endmacro %}


{# How far a value is from its mean, in standard deviations, at most three: a post unlike
   any seen is treated as the most unusual one seen. Unknown and no spread are the mean. #}
{% macro standardised(value, mean, deviation) -%}
    greatest(-3, least(3, coalesce({{ ratio('(' ~ value ~ ' - ' ~ mean ~ ')', deviation) }}, 0)))
{%- endmacro %}


{# What growth depends on: whether an early slope is known, the slope and its square, the
   size; from early_slope, log_size and the moments of a fit. #}
{% macro growth_features() -%}
    {%- set slope = standardised('early_slope', 'slope_mean', 'slope_deviation') -%}
    {{ return([
        'cast(1 as ' ~ type_double() ~ ')',
        'cast(case when early_slope is null then 1 else 0 end as ' ~ type_double() ~ ')',
        slope,
        slope ~ ' * ' ~ slope,
        standardised('log_size', 'size_mean', 'size_deviation'),
    ]) }}
{%- endmacro %}


{# How much of the growth is still ahead at an age: nothing at the target's own, and the more
   the younger, by the usual power of age (`exponent`) of the posts of a fit. #}
{% macro growth_ahead() -%}
    (exp(exponent * log_ahead) - 1)
{%- endmacro %}


{# Views at the target's age per view there is. Counters do not fall, so at least 1. #}
{% macro fitted_growth() -%}
    greatest(1, 1 + {{ growth_ahead() }} * ({% for name in growth_coefficients() -%}
        {{ name }} * {{ growth_features()[loop.index0] }}{{ ' + ' if not loop.last }}
    {%- endfor %}))
{%- endmacro %}


{# The same without anything but the age: the constant scaling that forecasts are held against. #}
{% macro scaled_growth() -%}
    (1 + {{ growth_ahead() }} * scaling)
{%- endmacro %}


{# How far growth spreads, in logarithms: with what was fitted, and a little with its age. Of
   posts without views nothing but their age is known: with the share of time still ahead. #}
{% macro growth_spread(fitted) -%}
    greatest(
        case
            when from_zero then 1 - exp(-log_ahead)
            else 0.75 * ln({{ fitted }}) + 0.25 * ln({{ scaled_growth() }})
        end,
        0.000001
    )
{%- endmacro %}


{# Body of a CTE: for each `key` of `source` the normal equations of a least squares fit, as
   `solve_symmetric` takes them. Reads x_i, which are to add up to the column `goal` once they
   have their coefficients. As many pseudo-observations of each coefficient as `ridges` says draw
   the first to the column `toward`, which is the same for a whole key, and the others to 0. #}
{% macro ridge_equations(source, key, names, ridges, toward, goal) -%}
    select
        {{ key }},
        {%- for i in range(names | length) %}
        {%- for j in range(i, names | length) %}
        {{ exact_sum('x_' ~ i ~ ' * x_' ~ j) }}{{ ' + ' ~ ridges[i] if i == j }} as a_{{ i }}_{{ j }},
        {%- endfor %}
        {{ exact_sum('x_' ~ i ~ ' * ' ~ goal) }}{{ ' + ' ~ ridges[0] ~ ' * max(' ~ toward ~ ')' if i == 0 }} as b_{{ i }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source }}
    group by {{ key }}
{%- endmacro %}


{# CTEs that solve the symmetric systems of `source`, one per row: columns a_i_j (i <= j),
   b_i and `key`. Gaussian elimination, one unknown a step, then back: the last CTE is
   `solved`, with `key` and the unknowns by name. The ridge keeps the pivots above 0. #}
{% macro solve_symmetric(source, key, names) -%}
{%- set last = names | length - 1 -%}
{%- for step in range(last) %}
without_{{ step }} as (

    select
        {{ key }},
        {%- for i in range(last + 1) %}
        {%- for j in range(i, last + 1) %}
        {%- if i > step %}
        a_{{ i }}_{{ j }} - a_{{ step }}_{{ i }} * a_{{ step }}_{{ j }} / a_{{ step }}_{{ step }} as a_{{ i }}_{{ j }},
        {%- else %}
        a_{{ i }}_{{ j }},
        {%- endif %}
        {%- endfor %}
        {%- if i > step %}
        b_{{ i }} - a_{{ step }}_{{ i }} * b_{{ step }} / a_{{ step }}_{{ step }} as b_{{ i }}
        {%- else %}
        b_{{ i }}
        {%- endif %}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source if step == 0 else 'without_' ~ (step - 1) }}

),
{% endfor %}
{%- for i in range(last, -1, -1) %}
{{ 'solved' if i == 0 else 'back_' ~ i }} as (

    select
        *,
        (b_{{ i }}{% for j in range(i + 1, last + 1) %} - a_{{ i }}_{{ j }} * {{ names[j] }}{% endfor %}) / a_{{ i }}_{{ i }} as {{ names[i] }}
    from {{ 'without_' ~ (last - 1) if i == last else 'back_' ~ (i + 1) }}

),
{% endfor %}
{%- endmacro %}


{# Midnight (UTC) of the Monday on or before a time. #}
{% macro monday_of(time) -%}
    ({{ in_utc("date_trunc('week', " ~ in_utc(time) ~ ')') }})
{%- endmacro %}


{# The first midnight (UTC) at or after a time: from then on what was known by the time is. #}
{% macro midnight_after(time) -%}
    ({{ day_of(time ~ " - interval '0.000001' second") }} + interval '24' hour)
{%- endmacro %}


{# When the fit was made that forecasts what is pending: it always knows all there is. #}
{% macro live_fit() -%}
    cast('9999-12-31 00:00:00+00' as {{ type_timestamptz() }})
{%- endmacro %}


{# Condition: a fit is of the kind of an example, and of its platform, within one meaning of a
   view, or of all platforms. #}
{% macro fit_serves(fits, examples) -%}
    {{ fits }}.from_hours = {{ examples }}.from_hours
        and {{ fits }}.target_hours = {{ examples }}.target_hours
        and {{ fits }}.from_zero = {{ examples }}.from_zero
        and (
            {{ fits }}.fit_platform = 'all'
            or (
                {{ fits }}.fit_platform = {{ examples }}.platform
                and {{ fits }}.fit_era = {{ examples }}.definition_era
            )
        )
{%- endmacro %}


{# Select of the fits to make: all on a full build, else those whose posts changed since this
   model last ran. #}
{% macro changed_fits() -%}
    {%- if not execute %}{% do ref('int_forecast_fit_sets') %}{% endif -%}
    select fit_id
    from {{ ref('int_forecast_fit_sets') }}
    where posts >= {{ var('forecast_min_posts') }}
    {%- if is_incremental() %}
        and _build > {{ consumed_build() }}
    {%- endif %}
{%- endmacro %}


{# The incremental strategy of models about fits: those that changed are deleted and made anew. #}
{% macro get_incremental_by_fit_sql(arg_dict) %}
    {%- set changed -%}
        kept.fit_id not in (
            select fit_id
            from {{ ref('int_forecast_fit_sets') }}
            where _build <= {{ consumed_build() }}
        )
    {%- endset -%}
    {{ replace_rows(arg_dict, gone=[changed]) }}
{% endmacro %}


{# Aggregate: the value at a position that may lie between two of the whole `positions`,
   on a straight line between their values. At most two terms are not 0. #}
{% macro at_position(value, positions, position) -%}
    sum({{ value }} * greatest(0, 1 - abs({{ positions }} - {{ position }})))
{%- endmacro %}


{# Twice the rank of a row in its partition, ties at their mean: whole, so that sums of
   them are exact. Rows up to its value and, 1 more, rows below it: one sort. #}
{% macro doubled_rank(value, partition_by) -%}
    {%- set by_value = '(partition by ' ~ partition_by ~ ' order by ' ~ value ~ ')' -%}
    (rank() over {{ by_value }} + count(*) over {{ by_value }})
{%- endmacro %}


{# Aggregate: correlation of two columns of whole ranks (Spearman's), from exact sums; null
   when one of them does not vary. #}
{% macro correlation_of_ranks(one, other) -%}
    (
        cast(count(*) * sum(cast({{ one }} as decimal(38, 0)) * {{ other }})
            - sum({{ one }}) * sum({{ other }}) as {{ type_double() }})
        / nullif(
            sqrt(cast(count(*) * sum(cast({{ one }} as decimal(38, 0)) * {{ one }})
                - sum({{ one }}) * sum({{ one }}) as {{ type_double() }}))
            * sqrt(cast(count(*) * sum(cast({{ other }} as decimal(38, 0)) * {{ other }})
                - sum({{ other }}) * sum({{ other }}) as {{ type_double() }})),
            0
        )
    )
{%- endmacro %}
