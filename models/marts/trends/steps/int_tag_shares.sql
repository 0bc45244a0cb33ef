{{ config(materialized='table') }}

with

tag_days as (

    select * from {{ ref('int_tag_days') }}

),

days as (

    select * from {{ ref('int_video_days') }}

),

{# Numbers for tags, because joins on texts cost more than all the rest. #}
tags as (

    select
        platform,
        hashtag,
        row_number() over (order by platform, hashtag) as tag
    from tag_days
    group by platform, hashtag

),

{# Where a list is young, all that is on it is: videos are held against those of the day. #}
listed as (

    select
        platform,
        day,
        {{ ratio('sum(days_listed)', 'sum(videos)') }} as days_listed
    from tag_days
    group by platform, day

),

{# Windows count complete days, whatever the calendar; days without the tag add nothing. #}
counted as (

    select
        tag_days.*,
        tags.tag,
        days.videos as platform_videos,
        days.is_partial,
        days.complete_days,
        days.outcome_day,
        days.baseline_days >= 7 and not days.is_partial as is_judged,
        {{ ratio('tag_days.videos', 'days.videos') }} as share,
        {{ ratio('tag_days.days_listed', 'tag_days.videos') }} - listed.days_listed
            as listed_longer
    from tag_days
    inner join tags
        on tag_days.platform = tags.platform
        and tag_days.hashtag = tags.hashtag
    inner join days
        on tag_days.platform = days.platform
        and tag_days.day = days.day
    inner join listed
        on tag_days.platform = listed.platform
        and tag_days.day = listed.day

),

measured as (

    select
        counted.*,
        min(day) over by_day as first_seen,
        row_number() over by_day as days_observed,
        max(case when not is_partial then share end) over by_day as largest_share,
        case when is_judged
            then coalesce(
                    cast({{ exact_part('share', 24) }} over the_past as {{ type_double() }}), 0
                ) / 7
        end as past_share,
        case when is_judged and outcome_day is not null
            then coalesce(
                    cast({{ exact_part('share', 24) }} over the_future as {{ type_double() }}), 0
                ) / 3
        end as next_share,
        case when is_judged and outcome_day is not null
            then coalesce(max(share) over the_future, 0)
        end as next_peak
    from counted
    window
        by_day as (partition by tag order by day rows unbounded preceding),
        the_past as (
            partition by tag, is_partial
            order by complete_days range between 7 preceding and 1 preceding
        ),
        the_future as (
            partition by tag, is_partial
            order by complete_days range between 1 following and 3 following
        )

),

final as (

    select
        measured.*,
        {{ log_lift('share', 'past_share', 'platform_videos') }} as log_rise,
        {{ log_lift('next_share', 'past_share', 'platform_videos') }} as log_lift
    from measured

)

select * from final
