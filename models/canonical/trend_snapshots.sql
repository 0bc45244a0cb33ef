with

accepted as (

    select * from {{ ref('accepted_trend_snapshots') }}

),

final as (

    select
        snapshot_id,
        product_id,
        popularity_score,
        velocity_score,
        competition_score,
        tiktok_trend_tags,
        raw_source_data,
        snapshot_time
    from accepted

)

select * from final
