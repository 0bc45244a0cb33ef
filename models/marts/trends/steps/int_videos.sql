{{ config(materialized='table') }}

with

observations as (

    select * from {{ ref('int_video_observations') }}

),

videos as (

    select
        platform,
        external_id,
        min(collected_at) as first_collected_at,
        max(collected_at) as last_collected_at,
        count(*) as observations,
        max(views) as views,
        {{ latest_known('likes', 'collected_at') }} as likes,
        {{ latest_known('comments', 'collected_at') }} as comments,
        {{ latest_known('shares', 'collected_at') }} as shares,
        {{ latest_known('author', 'collected_at') }} as author,
        {{ latest_known('caption', 'collected_at') }} as caption,
        max(known_at) as known_at
    from observations
    group by platform, external_id

),

{# An interval begins at the observation before, or, within a burst of them, at the last
   one that is old enough. #}
view_intervals as (

    select
        platform,
        external_id,
        collected_at,
        views_mono,
        max(views_mono) over long_before as views_before,
        {{ hours_between('max(collected_at) over long_before', 'collected_at') }} as hours,
        lag(collected_at) over by_time as previous_at,
        lag(collected_at, 2) over by_time as earlier_at
    from observations
    where views is not null
    window
        by_time as (partition by platform, external_id order by collected_at),
        long_before as (
            partition by platform, external_id
            order by collected_at
            range between unbounded preceding
            and interval '{{ var("min_interval_minutes") }}' minute preceding
        )

),

velocities as (

    select
        platform,
        external_id,
        collected_at,
        (views_mono - views_before) / hours as views_per_hour,
        ln((1 + cast(views_mono as {{ type_double() }})) / (1 + views_before))
        / hours as log_velocity
    from view_intervals
    where hours is not null
        and not (
            {{ is_short_gap('previous_at', 'collected_at') }}
            and not {{ is_short_gap('earlier_at', 'previous_at') }}
        )

),

numbered as (

    select
        platform,
        external_id,
        views_per_hour,
        log_velocity,
        row_number()
            over (partition by platform, external_id order by collected_at desc)
            as from_last
    from velocities

),

dynamics as (

    select
        platform,
        external_id,
        max(views_per_hour) as peak_views_per_hour,
        max(case when from_last = 1 then views_per_hour end) as views_per_hour,
        max(case when from_last = 2 then views_per_hour end) as previous_views_per_hour,
        max(case when from_last = 1 then log_velocity end)
        - max(case when from_last = 2 then log_velocity end) as acceleration
    from numbered
    group by platform, external_id

),

last_tags as (

    select
        observations.platform,
        observations.external_id,
        observations.hashtags
    from observations
    inner join videos
        on observations.platform = videos.platform
        and observations.external_id = videos.external_id
        and observations.collected_at = videos.last_collected_at

),

joined as (

    select
        videos.*,
        last_tags.hashtags,
        dynamics.views_per_hour,
        dynamics.previous_views_per_hour,
        dynamics.peak_views_per_hour,
        dynamics.acceleration,
        {{ sum_known(['videos.likes', 'videos.comments', 'videos.shares']) }} as engagements,
        videos.last_collected_at
        >= max(videos.last_collected_at) over (partition by videos.platform)
        - interval '{{ var("stale_after_hours") }}' hour as is_listed
    from videos
    inner join last_tags
        on videos.platform = last_tags.platform
        and videos.external_id = last_tags.external_id
    left join dynamics
        on videos.platform = dynamics.platform
        and videos.external_id = dynamics.external_id

),

final as (

    select
        platform,
        external_id,
        author,
        caption,
        hashtags,

        -- observed
        first_collected_at,
        last_collected_at,
        observations,
        views,
        likes,
        comments,
        shares,
        engagements,
        {{ rate_per_view('engagements', 'views') }} as engagement_rate,

        -- growth
        views_per_hour,
        peak_views_per_hour,
        acceleration,
        case
            when not is_listed then false
            else {{ at_least('views_per_hour', 'previous_views_per_hour') }}
                and {{ at_least('views_per_hour', '0.5 * peak_views_per_hour') }}
                and views_per_hour > 0
        end as is_rising,
        case when engagements is not null then
                log10(greatest(cast(engagements as {{ type_double() }}), 1))
                + cast(
                    {{ epoch_us('first_collected_at') }} - 1134028003000000 as {{ type_double() }}
                )
                / 45000000000
        end
            as hot_score,
        known_at
    from joined

)

select * from final
