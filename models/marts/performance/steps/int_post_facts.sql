{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key='post_id',
    on_schema_change='fail',
    post_hook="{{ record_consumed(['int_post_lineage', 'post_metric_history', 'post_age_metrics']) }}",
) }}

{%- set horizons = age_horizons() %}

with

{{ with_changed_posts(also=[ref('int_lineage_changes')]) -}}
posts as (

    select *
    from {{ ref('accepted_published_posts') }}
    {{ where_changed() }}

),

lineage as (

    select * from {{ ref('int_post_lineage') }}
    {{ where_changed() }}

),

history as {{ rows_of_changed() }} (

    select *
    from {{ ref('post_metric_history') }}
    {{ where_changed() }}

),

summary as {{ computed_once() }} (

    select
        post_id,
        count(*) as polls,
        min(collected_at) as first_collected_at,
        max(collected_at) as last_collected_at,
        max(views_per_hour) as peak_views_per_hour,
        sum(case when is_decrease then 1 else 0 end) as decreases,
        max(known_at) as known_at
    from history
    group by post_id

),

latest as (

    select history.*
    from history
    inner join summary
        on history.post_id = summary.post_id
        and history.collected_at = summary.last_collected_at

),

{# What must be sorted carries no more than it has to. #}
speeds as (

    select
        post_id,
        log_velocity,
        views_per_hour,
        lag(log_velocity) over by_time as previous_log_velocity,
        lead(collected_at) over by_time is null as is_latest,
        max(views_per_hour) over so_far as peak_so_far,
        count(views_per_hour) over later as intervals_later
    from history
    window
        by_time as (partition by post_id order by collected_at),
        so_far as (partition by post_id order by collected_at rows unbounded preceding),
        later as (
            partition by post_id
            order by collected_at
            rows between 1 following and unbounded following
        )

),

dynamics as (

    select
        post_id,
        max(log_velocity - previous_log_velocity) filter (where is_latest) as acceleration,
        bool_and(views_per_hour < 0.05 * peak_so_far)
        filter (where views_per_hour is not null and intervals_later < 2)
            as is_slow,
        count(views_per_hour) as intervals
    from speeds
    group by post_id

),

{# Watch time is reported by some sources only: the last poll that knew it. #}
watched as (

    select
        post_id,
        watch_time_ms,
        completion_rate,
        row_number() over (partition by post_id order by collected_at desc) as polls_ago
    from {{ ref('accepted_performance_metrics') }}
    where (watch_time_ms is not null or completion_rate is not null)
        {{ and_changed() }}

),

missed as (

    select
        history.post_id,
        sum(greatest(
            floor(history.gap_hours / platforms.poll_interval_hours + 0.5) - 1, 0
        )) as missed_polls
    from history
    inner join posts on history.post_id = posts.post_id
    inner join {{ ref('platforms') }} as platforms on posts.platform = platforms.platform
    group by history.post_id

),

ages as (

    select
        post_id,
        {%- for hours in horizons %}
        max(case when horizon_hours = {{ hours }} then views end) as views_{{ hours }}h,
        max(case when horizon_hours = {{ hours }} then status end) as status_{{ hours }}h,
        {%- endfor %}
        max(case when horizon_hours = 24 then engagement_rate end) as engagement_rate_24h,
        max(case when horizon_hours = 72 then engagement_rate end) as engagement_rate_72h,
        max(known_at) as known_at
    from {{ ref('post_age_metrics') }}
    {{ where_changed() }}
    group by post_id

),

{# The age at which half of the views at 168 hours had come in: between the last poll
   under the half and the first poll at or over it, straight in time. #}
{%- set reached = at_least('history.views_mono', 'ages.views_168h / 2') %}
half_brackets as (

    select
        history.post_id,
        ages.views_168h / 2 as half,
        coalesce(max(history.age_hours) filter (where not {{ reached }}), 0) as age0,
        coalesce(max(history.views_mono) filter (where not {{ reached }}), 0) as views0,
        min(history.age_hours) filter (where {{ reached }}) as age1,
        min(history.views_mono) filter (where {{ reached }}) as views1
    from history
    inner join ages on history.post_id = ages.post_id
    where ages.views_168h > 0
        and history.views is not null
    group by history.post_id, ages.views_168h

),

half_lives as (

    select
        post_id,
        case
            when age0 = 0 or views0 = 0
            then age0 + (half - views0) * (age1 - age0) / (views1 - views0)
            else exp(
                    ln(age0) + ln(half / views0)
                    / ln(cast(views1 as {{ type_double() }}) / views0)
                    * ln(age1 / age0)
                )
        end as half_life_hours
    from half_brackets
    where age1 is not null

),

weights as (

    select
        max(case when metric = 'views' then weight end) as views,
        max(case when metric = 'likes' then weight end) as likes,
        max(case when metric = 'comments' then weight end) as comments,
        max(case when metric = 'shares' then weight end) as shares
    from {{ ref('engagement_weights') }}

),

joined as (

    select
        posts.post_id,
        posts.platform,
        posts.external_post_id,
        posts.published_at,
        posts.experiment_id,
        lineage.product_id,
        lineage.script_id,
        lineage.asset_id,
        lineage.pattern_id,
        lineage.hypothesis,
        lineage.variation_label,
        latest.views,
        latest.likes,
        latest.comments,
        latest.shares,
        {{ sum_known(['latest.likes', 'latest.comments', 'latest.shares']) }} as engagements,
        coalesce(summary.polls, 0) as polls,
        summary.first_collected_at,
        summary.last_collected_at,
        latest.age_hours,
        watched.watch_time_ms,
        watched.completion_rate,
        {%- for hours in horizons %}
        ages.views_{{ hours }}h,
        {%- endfor %}
        ages.engagement_rate_24h,
        ages.engagement_rate_72h,
        {%- for hours in horizons %}
        coalesce(ages.status_{{ hours }}h, 'pending') as status_{{ hours }}h,
        {%- endfor %}
        latest.views_per_hour,
        dynamics.acceleration,
        summary.peak_views_per_hour,
        half_lives.half_life_hours,
        case when dynamics.intervals >= 4 then dynamics.is_slow end as is_dead,
        missed.missed_polls,
        summary.decreases,
        case
            when latest.views is null then null
            else weights.views * latest.views
                + weights.likes * coalesce(latest.likes, 0)
                + weights.comments * coalesce(latest.comments, 0)
                + weights.shares * coalesce(latest.shares, 0)
        end as performance_score,
        greatest(posts.known_at, lineage.known_at, summary.known_at, ages.known_at) as known_at
    from posts
    cross join weights
    left join lineage on posts.post_id = lineage.post_id
    left join latest on posts.post_id = latest.post_id
    left join watched on posts.post_id = watched.post_id and watched.polls_ago = 1
    left join summary on posts.post_id = summary.post_id
    left join missed on posts.post_id = missed.post_id
    left join ages on posts.post_id = ages.post_id
    left join half_lives on posts.post_id = half_lives.post_id
    left join dynamics on posts.post_id = dynamics.post_id

),

final as (

    select
        -- identity
        post_id,
        platform,
        external_post_id,
        published_at,
        experiment_id,
        product_id,
        script_id,
        asset_id,
        pattern_id,
        hypothesis,
        variation_label,

        -- latest poll
        views,
        likes,
        comments,
        shares,
        engagements,
        polls,
        first_collected_at,
        last_collected_at,
        age_hours,
        {{ rate_per_view('engagements', 'views') }} as engagement_rate,
        {{ rate_per_view('likes', 'views') }} as like_rate,
        {{ rate_per_view('comments', 'views') }} as comment_rate,
        {{ rate_per_view('shares', 'views') }} as share_rate,
        cast(performance_score as {{ type_double() }}) as performance_score,
        watch_time_ms,
        completion_rate,

        -- by age
        {%- for hours in horizons %}
        views_{{ hours }}h,
        {%- endfor %}
        engagement_rate_24h,
        engagement_rate_72h,
        {%- for hours in horizons %}
        status_{{ hours }}h,
        {%- endfor %}

        -- dynamics
        views_per_hour,
        acceleration,
        peak_views_per_hour,
        half_life_hours,
        is_dead,

        -- quality
        cast(missed_polls as bigint) as missed_polls,
        cast(decreases as bigint) as decreases,

        -- what a view was
        cast({{ definition_era('joined.platform', 'joined.published_at') }} as bigint)
            as definition_era,
        {{ crosses_break('joined.platform', 'joined.published_at', 'joined.last_collected_at') }}
            as crosses_break,
        known_at
    from joined

)

select * from final
