{{ config(materialized='table') }}

with

observations as (

    select * from {{ ref('int_video_observations') }}

),

{# A video counts once a day, as last seen that day; its growth is the day's whole. #}
video_days as (

    select
        observations.*,
        row_number() over (partition by platform, external_id, day order by collected_at desc) as from_last,
        sum(views_gained) over (partition by platform, external_id, day) as gained
    from observations

),

tags_as_listed as (

    select
        platform,
        external_id,
        day,
        is_first_day,
        author,
        views_mono,
        gained,
        case when views_mono is not null then {{ sum_known(['likes', 'comments', 'shares']) }} end as engagements,
        unnest(hashtags) as tag
    from video_days
    where from_last = 1

),

tagged as (

    select distinct
        platform,
        external_id,
        day,
        is_first_day,
        author,
        views_mono,
        gained,
        engagements,
        {{ plain_tag('tag') }} as hashtag
    from tags_as_listed

),

final as (

    select
        platform,
        hashtag,
        day,
        count(*) as videos,
        count(*) filter (where is_first_day) as new_videos,
        count(distinct author) as authors,
        cast(sum(gained) as bigint) as views_gained,
        cast(sum(views_mono) as bigint) as views_total,
        cast(sum(engagements) as bigint) as engagements,
        cast(sum(views_mono) filter (where engagements is not null) as bigint) as engaged_views
    from tagged
    where hashtag <> ''
    group by platform, hashtag, day

)

select * from final
