with

accepted as (

    select * from {{ ref('accepted_published_posts') }}

),

final as (

    select
        post_id,
        experiment_id,
        platform,
        external_post_id,
        published_at
    from accepted

)

select * from final
