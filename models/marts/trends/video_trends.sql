with

videos as (

    select * from {{ ref('int_videos') }}

),

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

),

{# Videos are compared with those that were on the lists in the same months. #}
percentiles as (

    select
        videos.platform,
        videos.external_id,
        {{ mid_rank('videos.views', 'videos.platform') }} as view_percentile,
        count(*) over (partition by videos.platform) as compared_videos
    from videos
    cross join build
    where videos.views is not null
        and videos.last_collected_at > build.as_of - interval '{{ var("percentile_days") }}' day

),

final as (

    select
        videos.platform,
        videos.external_id,
        videos.author,
        videos.caption,
        videos.hashtags,
        videos.first_collected_at,
        videos.last_collected_at,
        videos.observations,
        videos.views,
        videos.likes,
        videos.comments,
        videos.shares,
        videos.engagements,
        videos.engagement_rate,
        videos.views_per_hour,
        videos.peak_views_per_hour,
        videos.acceleration,
        videos.is_rising,
        videos.hot_score,
        case when percentiles.compared_videos >= {{ var('min_percentile_posts') }} then
                percentiles.view_percentile
        end as view_percentile,
        videos.known_at
    from videos
    left join percentiles
        on videos.platform = percentiles.platform
        and videos.external_id = percentiles.external_id

)

select * from final
