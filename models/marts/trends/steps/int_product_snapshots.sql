{{ config(materialized='table') }}

with

landed as (

    select
        snapshot_id,
        product_id,
        snapshot_time,
        popularity_score as popularity,
        velocity_score as velocity,
        competition_score as competition,
        coalesce(tiktok_trend_tags, {{ empty_array() }}) as tags,
        known_at
    from {{ ref('accepted_trend_snapshots') }}

),

{# Of several snapshots of a product at one time, the one known last. #}
distinct_times as (

    select
        landed.*,
        row_number() over (
            partition by product_id, snapshot_time order by known_at desc, snapshot_id asc
        ) as choice,
        max(known_at) over (partition by product_id, snapshot_time) as time_known_at
    from landed

),

final as (

    select
        product_id,
        snapshot_time,
        {{ utc_day('snapshot_time') }} as day,
        popularity,
        velocity,
        competition,
        tags,
        row_number() over by_time as snapshots,
        lag(snapshot_time) over by_time as previous_at,
        lead(snapshot_time) over by_time is null as is_latest,
        {{ hours_between('min(snapshot_time) over so_far', 'snapshot_time') }} / 24 as age_days,
        max(popularity) over so_far as largest_popularity,
        max(time_known_at) over so_far as product_known_at
    from distinct_times
    where choice = 1
    window
        by_time as (partition by product_id order by snapshot_time),
        so_far as (partition by product_id order by snapshot_time rows unbounded preceding)

)

select * from final
