{{ config(
    materialized='incremental',
    incremental_strategy='differences_by_post',
    unique_key=['post_id', 'moment', 'is_end'],
    on_schema_change='fail',
    meta={'also_changed': ['int_feature_identity']},
    post_hook="{{ record_consumed(['int_post_age_metric_versions']) }}",
) }}

{# What a post had got by 72 hours counts from when that was known until another value took
   its place, or until its platform changed what a view is: it is added at one moment and
   taken away at another. Decimals, so that nothing is left of what was taken away. #}
{%- set measures = label_measures() %}
{%- set decimals = {
    'ln_views': 9, 'ln_views_squared': 18, 'rated_views': 6, 'engagements': 6, 'engagements_squared': 9,
} %}

with

{{ with_changed_posts(also=[ref('int_feature_identity')]) -}}
posts as (

    select * from {{ ref('int_feature_identity') }}
    {{ where_changed() }}

),

known_labels as (

    select
        versions.post_id,
        posts.platform,
        posts.product_id,
        posts.pattern_id,
        greatest(
            versions.known_from, posts.known_at, posts.published_at + interval '72' hour
        ) as known_from,
        least(versions.known_to, {{ next_break('posts.platform', 'posts.published_at') }})
            as known_to,
        cast(ln(1 + versions.views) as decimal(18, 9)) as ln_views,
        case when versions.views > 0 then versions.engagements end as engagements,
        versions.views
    from {{ ref('int_post_age_metric_versions') }} as versions
    inner join posts on versions.post_id = posts.post_id
    where versions.horizon_hours = 72
        and versions.views is not null

),

labels as (

    select
        post_id,
        platform,
        product_id,
        pattern_id,
        known_from,
        known_to,
        cast(1 as bigint) as labels,
        cast(ln_views as decimal(38, 9)) as ln_views,
        cast(ln_views * ln_views as decimal(38, 18)) as ln_views_squared,
        cast(case when engagements is not null then 1 else 0 end as bigint) as rated,
        cast(case when engagements is not null then views else 0 end as decimal(38, 6))
            as rated_views,
        cast(coalesce(engagements, 0) as decimal(38, 6)) as engagements,
        {# A post with a thousand engagements per view is an error: it must not leave the range. #}
        cast(coalesce(engagements * least(engagements / views, 1000), 0) as decimal(38, 9))
            as engagements_squared
    from known_labels
    where known_to is null or known_to > known_from

),

events as (

    select
        post_id, platform, product_id, pattern_id, known_from as moment, false as is_end,
        {{ measures | join(', ') }}
    from labels
    union all
    select
        post_id, platform, product_id, pattern_id, known_to as moment, true as is_end,
        {{ measures | join(', ') }}
    from labels
    where known_to is not null

),

final as (

    select
        post_id,
        platform,
        product_id,
        pattern_id,
        moment,
        {{ day_of('moment') }} as moment_on,
        is_end,
        {%- for measure in measures %}
        case
            when is_end then {{ negated(measure, decimals.get(measure)) }}
            else {{ measure }}
        end as {{ measure }},
        {%- endfor %}
        {{ build_number() }} as _build
    from events

)

select * from final
