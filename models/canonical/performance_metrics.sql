with

versions as (

    select * from {{ ref('int_performance_metrics') }}

),

accepted as (

    select
        metric_id,
        post_id,
        views,
        likes,
        comments,
        shares,
        coalesce(collected_at, _known_at) as collected_at
    from versions
    where _verdict = 'accepted'

)

select * from accepted
