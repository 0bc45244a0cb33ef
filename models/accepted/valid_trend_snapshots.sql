with

versions as (

    select * from {{ ref('int_trend_snapshots') }}

),

final as (

    select
        snapshot_id,
        product_id,
        popularity_score,
        velocity_score,
        competition_score,
        coalesce(tiktok_trend_tags, {{ empty_array() }}) as tiktok_trend_tags,
        coalesce(raw_source_data, {{ empty_object() }}) as raw_source_data,
        coalesce(snapshot_time, _known_at) as snapshot_time,
        _verdict = 'accepted' as is_accepted,
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
