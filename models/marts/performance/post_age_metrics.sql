{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'horizon_hours'],
    on_schema_change='fail',
    indexes=[{'columns': ['post_id']}] if target.type == 'postgres' else [],
    post_hook="{{ record_consumed(['int_post_age_metric_versions']) }}",
) }}

with

{{ with_changed_posts() -}}
posts as (

    select
        post_id,
        platform,
        published_at,
        _state_from
    from {{ ref('accepted_published_posts') }}
    {{ where_changed() }}

),

horizons as (

    select
        cast(horizon_hours as bigint) as horizon_hours,
        horizon_hours * interval '1' hour as horizon
    from {{ ref('age_horizons') }}

),

latest as (

    select *
    from {{ ref('int_post_age_metric_versions') }}
    where known_to is null {{ and_changed() }}

),

final as (

    select
        posts.post_id,
        horizons.horizon_hours,
        coalesce(latest.status, 'pending') as status,
        latest.views,
        latest.likes,
        latest.comments,
        latest.shares,
        latest.engagement_rate,
        {{ rate_per_view('latest.likes', 'latest.views') }} as like_rate,
        {{ rate_per_view('latest.comments', 'latest.views') }} as comment_rate,
        {{ rate_per_view('latest.shares', 'latest.views') }} as share_rate,
        {{ crosses_break(
            'posts.platform', 'posts.published_at', 'posts.published_at + horizons.horizon'
        ) }} as crosses_break,
        coalesce(latest.known_from, posts._state_from) as known_at
    from posts
    cross join horizons
    left join latest
        on posts.post_id = latest.post_id
        and horizons.horizon_hours = latest.horizon_hours

)

select * from final
