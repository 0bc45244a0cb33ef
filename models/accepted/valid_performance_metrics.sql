with

versions as (

    select * from {{ ref('int_performance_metrics') }}

),

final as (

    select
        metric_id,
        post_id,
        views,
        likes,
        comments,
        shares,
        coalesce(collected_at, _known_at) as collected_at,
        given_post_id,
        platform,
        external_post_id,
        watch_time_ms,
        completion_rate,
        counts_as_written,
        _verdict = 'accepted' as is_accepted,
        _effective_at as known_at,
        _known_at,
        _valid_from,
        _source,
        _load_id,
        _position,
        _build
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
