with

versions as (

    select * from {{ ref('valid_trend_snapshots') }}

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
        snapshot_time,
        known_at,
        _known_at,
        _valid_from,
        _source,
        _load_id,
        _position,
        _build,
        _changed_build
    from versions
    where is_accepted

)

select * from final
