{{ config(materialized='table') }}

{%- set window = var('trend_window_days') %}
{%- set half_life = var('trend_half_life_days') %}
{%- set age = days_from('earlier.day', 'judged.day') %}

with

observations as (

    select * from {{ ref('int_video_observations') }}

),

days as {{ computed_once() }} (

    select
        platform,
        day,
        count(distinct external_id) as videos,
        max(known_at) as known_at
    from observations
    group by platform, day

),

{# What a day usually brings, by the days before it. #}
usual as (

    select
        days.platform,
        days.day,
        count(*) as earlier_days,
        {{ median_of('earlier.videos') }} as usual_videos
    from days
    inner join days as earlier
        on days.platform = earlier.platform
        and earlier.day between days.day - {{ window }} and days.day - 1
    group by days.platform, days.day

),

judged as {{ computed_once() }} (

    select
        days.platform,
        days.day,
        days.videos,
        usual.usual_videos,
        coalesce(
            usual.earlier_days >= 3
            and days.videos < {{ var('partial_day_share') }} * usual.usual_videos,
            false
        ) as is_partial,
        max(days.known_at) over (
            partition by days.platform order by days.day rows unbounded preceding
        ) as known_at
    from days
    left join usual
        on days.platform = usual.platform
        and days.day = usual.day

),

complete as (

    select
        platform,
        day,
        videos,
        lag(day, 1) over by_day as previous_day,
        lag(videos, 1) over by_day as previous_videos,
        lag(day, 2) over by_day as earlier_day,
        lag(videos, 2) over by_day as earlier_videos,
        lead(day, 3) over by_day as outcome_day
    from judged
    where not is_partial
    window by_day as (partition by platform order by day)

),

{# The complete days of the window before a day, in sum. #}
baselines as (

    select
        judged.platform,
        judged.day,
        count(*) as baseline_days,
        sum(earlier.videos) as baseline_videos,
        {{ exact_sum(half_life_weight(age, half_life), 24) }} as weights,
        {{ exact_sum(half_life_weight('2 * ' ~ age, half_life), 24) }}
            as squared_weights
    from judged
    inner join complete as earlier
        on judged.platform = earlier.platform
        and earlier.day between judged.day - {{ window }} and judged.day - 1
    group by judged.platform, judged.day

),

final as (

    select
        judged.platform,
        judged.day,
        judged.videos,
        judged.usual_videos,
        judged.is_partial,
        coalesce(baselines.baseline_days, 0) as baseline_days,
        cast(baselines.baseline_videos as bigint) as baseline_videos,
        baselines.weights,
        baselines.squared_weights,
        case when complete.previous_day >= judged.day - {{ window }} then complete.previous_day end
            as previous_day,
        complete.previous_videos,
        case when complete.earlier_day >= judged.day - {{ window }} then complete.earlier_day end
            as earlier_day,
        complete.earlier_videos,
        case when judged.day >= complete.outcome_day - {{ window }} then complete.outcome_day end
            as outcome_day,
        count(complete.day) over (
            partition by judged.platform order by judged.day rows unbounded preceding
        ) as complete_days,
        judged.known_at
    from judged
    left join complete
        on judged.platform = complete.platform
        and judged.day = complete.day
    left join baselines
        on judged.platform = baselines.platform
        and judged.day = baselines.day

)

select * from final
