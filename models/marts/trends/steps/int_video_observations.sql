{{ config(materialized='table') }}

with

raw_videos as (

    select * from {{ ref('accepted_raw_videos') }}

),

observations as (

    select
        platform,
        external_id,
        collected_at,
        caption,
        coalesce(hashtags, {{ empty_array() }}) as hashtags,
        author,
        view_count as views,
        like_count as likes,
        comment_count as comments,
        share_count as shares,
        known_at
    from raw_videos

),

running_maxima as (

    select
        observations.*,
        max(views) over (
            partition by platform, external_id order by collected_at rows unbounded preceding
        ) as views_mono,
        max(views) over (
            partition by platform, external_id
            order by collected_at rows between unbounded preceding and 1 preceding
        ) as views_before,
        min(collected_at) over (partition by platform, external_id) as first_collected_at
    from observations

),

final as (

    select
        platform,
        external_id,
        collected_at,
        {{ utc_day('collected_at') }} as day,
        {{ utc_day('first_collected_at') }} as first_day,
        {{ utc_day('first_collected_at') }} = {{ utc_day('collected_at') }} as is_first_day,
        caption,
        hashtags,
        author,
        views,
        likes,
        comments,
        shares,
        views_mono,
        case when views is not null then views_mono - views_before end as views_gained,
        known_at
    from running_maxima

)

select * from final
