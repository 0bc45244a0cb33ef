{{ config(
    materialized='incremental',
    incremental_strategy='by_fit',
    unique_key=['fit_id', 'bin'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['int_forecast_growth']) }}",
) }}

{#- A bin's centre is drawn to that of all with the weight of so many posts. -#}
{%- set bin_weight = 10 -%}

with

training as (

    select * from {{ ref('int_forecast_training') }}
    where fit_id in ({{ changed_fits() }})

),

growth as (

    select * from {{ ref('int_forecast_growth') }}
    where fit_id in ({{ changed_fits() }})

),

grown as (

    select
        training.fit_id,
        training.post_id,
        training.growth,
        {{ fitted_growth() }} as fitted
    from training
    inner join growth on training.fit_id = growth.fit_id

),

rounded as (

    select
        fit_id,
        post_id,
        growth / fitted as miss,
        {{ significant('fitted') }} as fitted
    from grown

),

quantiles as (

    select
        fit_id,
        {{ quantile_of('fitted', 0.2) }} as edge_1,
        {{ quantile_of('fitted', 0.4) }} as edge_2,
        {{ quantile_of('fitted', 0.6) }} as edge_3,
        {{ quantile_of('fitted', 0.8) }} as edge_4
    from rounded
    group by fit_id

),

{# Five bins of fitted growth, with a fifth of the posts each. #}
edges as (

    select
        quantiles.fit_id,
        cast(bins.bin as bigint) as bin,
        case bins.bin
            when 1 then quantiles.edge_1
            when 2 then quantiles.edge_2
            when 3 then quantiles.edge_3
            when 4 then quantiles.edge_4
        end as above,
        case bins.bin
            when 0 then quantiles.edge_1
            when 1 then quantiles.edge_2
            when 2 then quantiles.edge_3
            when 3 then quantiles.edge_4
        end as up_to
    from quantiles
    cross join (values (0), (1), (2), (3), (4)) as bins (bin)

),

bounds as (

    select
        fit_id,
        bin,
        {{ significant('above') }} as above,
        {{ significant('up_to') }} as up_to
    from edges

),

binned as (

    select
        rounded.fit_id,
        rounded.post_id,
        rounded.miss,
        {{ significant('rounded.miss') }} as rounded_miss,
        bounds.bin
    from rounded
    inner join bounds
        on rounded.fit_id = bounds.fit_id
        and (bounds.above is null or rounded.fitted > bounds.above)
        and (bounds.up_to is null or rounded.fitted <= bounds.up_to)

),

{# Bin -1 is all of them. #}
grouped as (

    select
        fit_id,
        post_id,
        miss,
        rounded_miss,
        bin
    from binned
    union all
    select
        fit_id,
        post_id,
        miss,
        rounded_miss,
        -1 as bin
    from binned

),

ranked as (

    select
        fit_id,
        bin,
        miss,
        rounded_miss,
        row_number() over by_miss as position,
        count(*) over (partition by fit_id, bin) as posts,
        greatest(
            cast(count(*) over (partition by fit_id, bin) + 1 as {{ type_double() }}) / 10, 1
        ) as lower_position,
        sum(cast(1 / miss as decimal(38, 12))) over by_miss as weight_so_far,
        sum(cast(1 / miss as decimal(38, 12))) over (partition by fit_id, bin) as weight
    from grouped
    window
        by_miss as (
            partition by fit_id, bin order by rounded_miss, post_id rows unbounded preceding
        )

),

{# The centre is the median that makes the mean of |predicted / actual - 1| smallest. The
   lower end of the interval leaves a tenth of the posts below it, as a new one would fall. #}
lower_ends as (

    select
        fit_id,
        bin,
        max(posts) as posts,
        min(miss) filter (where 2 * weight_so_far >= weight) as centre,
        {{ at_position('miss', 'position', 'lower_position') }} as lower_end
    from ranked
    group by fit_id, bin

),

{# Where many posts do not grow at all, fewer than a tenth are below: the upper end then
   leaves more above it, so that four fifths are within. #}
below as (

    select
        ranked.fit_id,
        ranked.bin,
        lower_ends.posts,
        lower_ends.centre,
        lower_ends.lower_end,
        count(*) filter (where ranked.rounded_miss < {{ significant('lower_ends.lower_end') }})
            as posts_below
    from ranked
    inner join lower_ends on ranked.fit_id = lower_ends.fit_id and ranked.bin = lower_ends.bin
    group by
        ranked.fit_id, ranked.bin, lower_ends.posts, lower_ends.centre, lower_ends.lower_end

),

upper_positions as (

    select
        below.*,
        least(
            cast((posts + 1) * (8 * posts + 10 * posts_below) as {{ type_double() }})
            / (10 * posts),
            posts
        ) as upper_position
    from below

),

intervals as (

    select
        upper_positions.fit_id,
        upper_positions.bin,
        upper_positions.posts,
        upper_positions.centre,
        upper_positions.lower_end,
        {# Between posts that are alike, rounding could put it under the lower end. #}
        greatest(
            {{ at_position('ranked.miss', 'ranked.position', 'upper_positions.upper_position') }},
            upper_positions.lower_end
        ) as upper_end
    from upper_positions
    inner join ranked
        on upper_positions.fit_id = ranked.fit_id and upper_positions.bin = ranked.bin
    group by
        upper_positions.fit_id,
        upper_positions.bin,
        upper_positions.posts,
        upper_positions.centre,
        upper_positions.lower_end

),

final as (

    select
        growth.fit_id,
        growth.fit_at,
        growth.fit_platform,
        growth.fit_era,
        growth.from_hours,
        growth.target_hours,
        bounds.bin,
        growth.n_train,
        growth.size_mean,
        growth.size_deviation,
        growth.slope_mean,
        growth.slope_deviation,
        growth.constant,
        growth.no_slope,
        growth.slope,
        growth.slope_squared,
        growth.size,
        bounds.above,
        bounds.up_to,
        0.5 + 0.5 * (
            coalesce(of_bin.posts, 0) * coalesce(of_bin.centre, 0)
            + {{ bin_weight }} * of_all.centre
        ) / (coalesce(of_bin.posts, 0) + {{ bin_weight }}) as shift,
        case when of_bin.posts >= 20 then of_bin.lower_end else of_all.lower_end end as lower_end,
        case when of_bin.posts >= 20 then of_bin.upper_end else of_all.upper_end end as upper_end,
        growth.median_views,
        growth.known_at
    from growth
    inner join bounds on growth.fit_id = bounds.fit_id
    inner join intervals as of_all on growth.fit_id = of_all.fit_id and of_all.bin = -1
    left join intervals as of_bin
        on bounds.fit_id = of_bin.fit_id and bounds.bin = of_bin.bin

)

select * from final
