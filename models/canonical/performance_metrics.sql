with

accepted as (

    select * from {{ ref('accepted_performance_metrics') }}

),

final as (

    select
        metric_id,
        post_id,
        views,
        likes,
        comments,
        shares,
        collected_at
    from accepted

)

select * from final
