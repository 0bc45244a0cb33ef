with

accepted as (

    select * from {{ ref('accepted_raw_videos') }}

),

final as (

    select
        id,
        external_id,
        platform,
        caption,
        hashtags,
        author,
        view_count,
        like_count,
        share_count,
        comment_count,
        collected_at,
        created_at
    from accepted

)

select * from final
