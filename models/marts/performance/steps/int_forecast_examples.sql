{{ config(
    materialized='incremental',
    incremental_strategy='differences_by_post',
    unique_key=['post_id', 'from_hours', 'target_hours'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['post_age_metrics', 'post_metric_history']) }}",
) }}

{#- An early slope needs a poll at three quarters of the age or before. -#}
{%- set early_share = 0.75 -%}
{%- set horizons = forecast_pairs() | sum(start=[]) | unique | list -%}
{%- set origins = forecast_pairs() | map('first') | unique | list -%}

with

{{ with_changed_posts() -}}
posts as (

    select
        post_id,
        platform,
        published_at
    from {{ ref('accepted_published_posts') }}
    {{ where_changed() }}

),

ages as (

    select * from {{ ref('post_age_metrics') }}
    {{ where_changed() }}

),

history as (

    select * from {{ ref('post_metric_history') }}
    {{ where_changed() }}

),

by_post as (

    select
        {%- for hours in horizons %}
        max(case when horizon_hours = {{ hours }} then views end) as views_{{ hours }}h,
        max(case when horizon_hours = {{ hours }} then status end) as status_{{ hours }}h,
        max(case when horizon_hours = {{ hours }} then known_at end) as known_at_{{ hours }}h,
        coalesce(bool_or(horizon_hours = {{ hours }} and crosses_break), false)
            as crosses_break_{{ hours }}h,
        {%- endfor %}
        post_id
    from ages
    group by post_id

),

{# The last early poll that was known when the age's own value was: a forecast rests on
   nothing that came later. Running maxima are largest at the last poll. #}
early_polls as (

    select
        by_post.post_id,
        {%- for hours in origins %}
        {%- set early %}filter (
            where history.age_hours <= {{ hours * early_share }}
                and history.known_at <= by_post.known_at_{{ hours }}h
        ){% endset %}
        max(history.age_hours) {{ early }} as age_{{ hours }}h,
        max(history.views_mono) {{ early }} as views_{{ hours }}h{% if not loop.last %},{% endif %}
        {%- endfor %}
    from history
    inner join by_post on history.post_id = by_post.post_id
    where history.views is not null
        and history.age_hours > 0
        and history.age_hours <= {{ (origins | max) * early_share }}
    group by by_post.post_id

),

pairs as (
    {% for from_hours, target_hours in forecast_pairs() %}
    select
        by_post.post_id,
        cast({{ from_hours }} as bigint) as from_hours,
        cast({{ target_hours }} as bigint) as target_hours,
        by_post.views_{{ from_hours }}h as from_views,
        ln((by_post.views_{{ from_hours }}h + 1) / (early_polls.views_{{ from_hours }}h + 1))
        / ln({{ from_hours }} / early_polls.age_{{ from_hours }}h) as early_slope,
        by_post.status_{{ target_hours }}h = 'pending' as is_pending,
        by_post.views_{{ target_hours }}h as target_views,
        by_post.crosses_break_{{ target_hours }}h as crosses_break,
        by_post.known_at_{{ from_hours }}h as from_known_at,
        case
            when by_post.status_{{ target_hours }}h <> 'pending'
            then greatest(by_post.known_at_{{ from_hours }}h, by_post.known_at_{{ target_hours }}h)
        end as target_known_at
    from by_post
    left join early_polls on by_post.post_id = early_polls.post_id
    where by_post.views_{{ from_hours }}h is not null
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

{# A forecast is made at the first midnight (UTC) after the earlier value is known. #}
described as (

    select
        pairs.*,
        posts.platform,
        cast({{ definition_era('posts.platform', 'posts.published_at') }} as bigint)
            as definition_era,
        case when pairs.from_views > 0 then ln(pairs.from_views) end as log_size,
        pairs.from_views > 0
        and pairs.target_views > 0
        and not pairs.crosses_break as is_example,
        {{ day_of('pairs.from_known_at') }} + interval '24' hour as origin_at
    from pairs
    inner join posts on pairs.post_id = posts.post_id

),

{# The fit a forecast is made with: all that is known now for the pending, what was known
   on the Monday before for those that can be scored by now. #}
final as (

    select
        post_id,
        from_hours,
        target_hours,
        platform,
        definition_era,
        from_views,
        log_size,
        early_slope,
        is_pending,
        target_views,
        crosses_break,
        coalesce(is_example, false) as is_example,
        from_known_at,
        target_known_at,
        origin_at,
        case
            when is_pending then {{ live_fit() }}
            when is_example and origin_at < target_known_at then {{ monday_of('origin_at') }}
        end as fit_at,
        {{ midnight_after('target_known_at') }} as known_on,
        {{ build_number() }} as _build
    from described

)

select * from final
