{{ config(materialized='table') }}

{%- set window = var('trend_window_days') %}
{%- set snapshots = var('trend_snapshots') %}
{%- set half_life = var('trend_half_life_days') %}

with

scored as (

    select * from {{ ref('int_product_popularity') }}

),

{# Every snapshot with those before it, at most `trend_snapshots` in all. #}
{{ pairs_with_earlier('scored', snapshots) }}

recent as (

    select
        product_id,
        snapshot_time,
        days,
        earlier_popularity / scale as earlier_relative
    from pairs
    where days <= {{ window }}
        and scale <> 0

),

sums as (

    select
        product_id,
        snapshot_time,
        count(*) as earlier,
        {{ exact_sum(half_life_weight('days', half_life), 18) }} as weights,
        {{ exact_sum(half_life_weight('2 * days', half_life), 18) }} as squared_weights,
        {{ exact_sum(half_life_weight('days', half_life) ~ ' * earlier_relative', 18) }}
            as weighted,
        {{ exact_sum(
            half_life_weight('days', half_life) ~ ' * earlier_relative * earlier_relative', 18
        ) }} as weighted_squares,
        {{ median_of('earlier_relative') }} as median_relative,
        {{ exact_sum('case when days < 7 then earlier_relative end', 18) }} as week_sum,
        count(case when days < 7 then 1 end) as week_snapshots,
        {{ exact_mean('case when days >= 7 and days < 14 then earlier_relative end', 18) }}
            as week_before,
        count(case when days >= 7 and days < 14 then 1 end) as week_before_snapshots
    from recent
    group by product_id, snapshot_time

),

deviations as (

    select
        recent.product_id,
        recent.snapshot_time,
        {{ median_of('abs(recent.earlier_relative - sums.median_relative)') }} as mad,
        {{ exact_mean('abs(recent.earlier_relative - sums.median_relative)', 18) }}
            as mean_deviation
    from recent
    inner join sums
        on recent.product_id = sums.product_id
        and recent.snapshot_time = sums.snapshot_time
    group by recent.product_id, recent.snapshot_time

),

final as (

    select
        scored.product_id,
        scored.snapshot_time,
        {{ ewma_z(
            'scored.relative', 'sums.weights', 'sums.squared_weights', 'sums.weighted', 'sums.weighted_squares'
        ) }} as momentum,
        {{ robust_z(
            'scored.relative', 'sums.median_relative', 'deviations.mad', 'deviations.mean_deviation', 'sums.earlier'
        ) }} as robust_z,
        case
            when sums.week_snapshots >= 1
                and sums.week_before_snapshots >= 2
                and sums.week_before > 0
            then {{ ratio(
                '(sums.week_sum + scored.relative) / (sums.week_snapshots + 1)', 'sums.week_before'
            ) }} - 1
        end as weekly_change
    from scored
    inner join sums
        on scored.product_id = sums.product_id
        and scored.snapshot_time = sums.snapshot_time
    inner join deviations
        on scored.product_id = deviations.product_id
        and scored.snapshot_time = deviations.snapshot_time

)

select * from final
