{{ config(
    materialized='incremental',
    incremental_strategy='by_fit',
    unique_key=['fit_id'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['int_forecast_growth']) }}",
) }}

with

training as (

    select * from {{ ref('int_forecast_training') }}
    where fit_id in ({{ changed_fits() }})

),

growth as (

    select * from {{ ref('int_forecast_growth') }}
    where fit_id in ({{ changed_fits() }})

),

fitted as (

    select
        training.fit_id,
        training.post_id,
        training.log_ahead,
        training.from_zero,
        training.growth,
        growth.exponent,
        growth.scaling,
        {{ fitted_growth() }} as fitted
    from training
    inner join growth on training.fit_id = growth.fit_id

),

{# How far posts came, in units of what was to be expected of each. #}
distances as (

    select
        fit_id,
        post_id,
        {{ growth_spread('fitted') }} as spread,
        ln(growth) / {{ growth_spread('fitted') }} as distance
    from fitted

),

came as (

    select
        fit_id,
        post_id,
        distance,
        {{ significant('distance') }} as rounded_distance
    from distances

),

ranked as (

    select
        fit_id,
        distance,
        rounded_distance,
        row_number() over (partition by fit_id order by rounded_distance, post_id) as position,
        count(*) over (partition by fit_id) as posts
    from came

),

{# The lower end of the interval leaves a tenth of the posts below it, as a new one would fall. #}
lower_ends as (

    select
        fit_id,
        posts,
        {{ at_position(
            'distance', 'position', 'greatest(cast(posts + 1 as ' ~ type_double() ~ ') / 10, 1)'
        ) }} as lower_end
    from ranked
    group by fit_id, posts

),

{# Where many posts do not grow at all, fewer than a tenth are below: the upper end then
   leaves more above it, so that four fifths are within. #}
uppers as (

    select
        ranked.fit_id,
        lower_ends.lower_end,
        least(
            cast(
                (lower_ends.posts + 1) * (
                    8 * lower_ends.posts
                    + 10 * count(*) filter (
                        where ranked.rounded_distance < {{ significant('lower_ends.lower_end') }}
                    )
                ) as {{ type_double() }}
            ) / (10 * lower_ends.posts),
            lower_ends.posts
        ) as upper_position
    from ranked
    inner join lower_ends on ranked.fit_id = lower_ends.fit_id
    group by ranked.fit_id, lower_ends.lower_end, lower_ends.posts

),

{# Least squares of the logarithms themselves. #}
middles as (

    select
        fit_id,
        {{ ratio(exact_sum('distance * spread * spread'), exact_sum('spread * spread')) }} as middle
    from distances
    group by fit_id

),

intervals as (

    select
        uppers.fit_id,
        uppers.lower_end,
        {# Between posts that are alike, rounding could put it under the lower end. #}
        greatest(
            {{ at_position('ranked.distance', 'ranked.position', 'uppers.upper_position') }},
            uppers.lower_end
        ) as upper_end
    from uppers
    inner join ranked on uppers.fit_id = ranked.fit_id
    group by uppers.fit_id, uppers.lower_end

),

final as (

    select
        growth.fit_id,
        growth.fit_at,
        growth.fit_platform,
        growth.fit_era,
        growth.from_hours,
        growth.target_hours,
        growth.from_zero,
        growth.n_train,
        growth.size_mean,
        growth.size_deviation,
        growth.slope_mean,
        growth.slope_deviation,
        growth.exponent,
        growth.scaling,
        {%- for name in growth_coefficients() %}
        growth.{{ name }},
        {%- endfor %}
        middles.middle,
        intervals.lower_end,
        intervals.upper_end,
        growth.median_views,
        growth.known_at
    from growth
    inner join middles on growth.fit_id = middles.fit_id
    inner join intervals on growth.fit_id = intervals.fit_id

)

select * from final
