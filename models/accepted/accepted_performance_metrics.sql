with

versions as (

    select * from {{ ref('valid_performance_metrics') }}

),

final as (

    select
        metric_id,
        post_id,
        views,
        likes,
        comments,
        shares,
        collected_at,
        given_post_id,
        platform,
        external_post_id,
        watch_time_ms,
        completion_rate,
        counts_as_written,
        known_at,
        _known_at,
        _valid_from,
        _source,
        _load_id,
        _position,
        _build
    from versions
    where is_accepted

)

select * from final
