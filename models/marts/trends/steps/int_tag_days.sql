{{ config(materialized='table') }}

with

observations as (

    select * from {{ ref('int_video_observations') }}

),

{# A video counts once a day, as last seen that day; its growth is the day's whole. #}
numbered as (

    select
        platform,
        external_id,
        day,
        is_first_day,
        least({{ days_from('first_day', 'day') }}, {{ var('trend_listed_days') }}) as days_listed,
        author,
        hashtags,
        views_mono,
        case when views_mono is not null then {{ sum_known(['likes', 'comments', 'shares']) }} end
            as engagements,
        sum(views_gained) over (partition by platform, external_id, day) as gained,
        row_number()
            over (partition by platform, external_id, day order by collected_at desc)
            as from_last
    from observations

),

video_days as {{ computed_once() }} (

    select * from numbered
    where from_last = 1

),

{# Most videos show the same list every day: each list is read, trimmed and cleared of
   repetitions once. #}
lists as {{ computed_once() }} (

    select
        hashtags,
        row_number() over (order by hashtags) as list
    from (select distinct hashtags from video_days) as distinct_lists

),

tagged as {{ computed_once() }} (

    select distinct
        list,
        {{ plain_tag('tag') }} as hashtag
    from (
        select
            list,
            {{ array_elements('hashtags') }} as tag
        from lists
    ) as listed

),

final as (

    select
        video_days.platform,
        tagged.hashtag,
        video_days.day,
        count(*) as videos,
        count(*) filter (where video_days.is_first_day) as new_videos,
        cast(sum(video_days.days_listed) as bigint) as days_listed,
        count(distinct video_days.author) as authors,
        cast(sum(video_days.gained) as bigint) as views_gained,
        cast(sum(video_days.views_mono) as bigint) as views_total,
        cast(sum(video_days.engagements) as bigint) as engagements,
        cast(
            sum(video_days.views_mono) filter (where video_days.engagements is not null) as bigint
        ) as engaged_views
    from video_days
    inner join lists on video_days.hashtags = lists.hashtags
    inner join tagged on lists.list = tagged.list
    where tagged.hashtag <> ''
    group by video_days.platform, tagged.hashtag, video_days.day

)

select * from final
