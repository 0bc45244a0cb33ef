{#
How was last week, and how does it compare with the weeks before?

A week is seven days that are over, the newest ending with the last such day of its platform.
`views_change` is against the week before (0.1 is a tenth more), null where that gained nothing
or is not whole: the platform's first day was in the middle of it (`is_whole` is false).
Of the views gained, `spread_share` came between polls so far apart that no poll says on which
day: near 1, the week is a guess. `posts_open` were not polled again after some day of the week,
so that what they gained after that is missing; a polling that stopped looks like a fall.

Chart: line x=last_day y=views_gained colour=platform
#}
with

days as (

    select * from {{ ref('daily_metrics') }}
    where is_complete

),

newest as (

    select
        platform,
        min(day) as first_day,
        max(day) as day
    from days
    group by platform

),

numbered as (

    select
        days.*,
        newest.first_day as platform_first_day,
        newest.day as last_day,
        floor((newest.day - days.day) / 7.0) as weeks_ago
    from days
    inner join newest on days.platform = newest.platform

),

weeks as (

    select
        platform,
        weeks_ago,
        max(last_day) - 7 * cast(weeks_ago as integer) as last_day,
        min(platform_first_day)
        <= max(last_day) - 7 * cast(weeks_ago as integer) - 6 as is_whole,
        sum(posts_published) as posts_published,
        sum(posts_open) as posts_open,
        sum(views_gained) as views_gained,
        sum(engagements_gained) as engagements_gained,
        sum(views_gained_spread) as views_gained_spread
    from numbered
    group by platform, weeks_ago

)

select
    platform,
    last_day - 6 as first_day,
    last_day,
    posts_published,
    views_gained,
    views_gained / nullif(
        case
            when lag(weeks_ago) over by_week = weeks_ago + 1 and lag(is_whole) over by_week
            then lag(views_gained) over by_week
        end, 0
    ) - 1 as views_change,
    engagements_gained,
    views_gained_spread / nullif(views_gained, 0) as spread_share,
    posts_open,
    is_whole
from weeks
window by_week as (partition by platform order by weeks_ago desc)
order by last_day desc, platform asc
