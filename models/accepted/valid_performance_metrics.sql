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
        told,
        _verdict = 'accepted' as is_accepted,
        {{ accepted_bookkeeping(referenced=false) }}
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
