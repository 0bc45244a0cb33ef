with

versions as (

    select * from {{ ref('int_raw_videos') }}

),

final as (

    select
        id,
        external_id,
        platform,
        caption,
        coalesce(hashtags, {{ empty_array() }}) as hashtags,
        author,
        view_count,
        like_count,
        share_count,
        comment_count,
        coalesce(collected_at, created_at, _known_at) as collected_at,
        coalesce(created_at, _first_known_at) as created_at,
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict = 'accepted'

)

select * from final
