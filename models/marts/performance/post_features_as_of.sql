{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['post_age_metrics']) }}",
) }}

{%- set labels = [24, 72, 168] -%}

with

{{ with_changed_posts(also=[
    ref('int_feature_identity'),
    ref('int_feature_baselines'),
    ref('int_feature_trends'),
    ref('int_feature_earlier_posts'),
]) -}}
identity as (

    select * from {{ ref('int_feature_identity') }}
    {{ where_changed() }}

),

baselines as (

    select * from {{ ref('int_feature_baselines') }}
    {{ where_changed() }}

),

trends as (

    select * from {{ ref('int_feature_trends') }}
    {{ where_changed() }}

),

earlier_posts as (

    select * from {{ ref('int_feature_earlier_posts') }}
    {{ where_changed() }}

),

ages as (

    select * from {{ ref('post_age_metrics') }}
    {{ where_changed() }}

),

{# What became of the post: known later, and allowed to change. #}
labels as (

    select
        post_id,
        {%- for hours in labels %}
        max(case when horizon_hours = {{ hours }} then views end) as views_{{ hours }}h,
        max(case when horizon_hours = {{ hours }} and views is not null then known_at end)
            as views_{{ hours }}h_known_at,
        {%- endfor %}
        max(case when horizon_hours = 72 then engagement_rate end) as engagement_rate_72h,
        max(case when horizon_hours = 72 and engagement_rate is not null then known_at end)
            as engagement_rate_72h_known_at
    from ages
    group by post_id

),

final as (

    select
        identity.post_id,
        identity.platform,
        identity.published_at,
        identity.experiment_id,
        identity.product_id,
        identity.script_id,
        identity.pattern_id,
        {{ definition_era('identity.platform', 'identity.published_at') }} as definition_era,
        {{ iso_weekday('identity.published_at') }} as weekday,
        cast(extract(hour from {{ in_utc('identity.published_at') }}) as bigint) as hour,
        earlier_posts.hours_since_previous_post,
        earlier_posts.posts_of_product_before,
        earlier_posts.posts_of_script_before,
        earlier_posts.posts_on_platform_7d,
        earlier_posts.max_similarity,
        earlier_posts.max_similarity_other_scripts,
        baselines.expected_ln_views_72h,
        {%- for group in ['platform', 'product_platform', 'product'] %}
        baselines.{{ group }}_posts_72h,
        baselines.{{ group }}_ln_views_72h,
        baselines.{{ group }}_ln_views_72h_sd,
        baselines.{{ group }}_engagement_rate_72h,
        {%- if group != 'product' %}
        baselines.{{ group }}_engagement_rate_72h_eb,
        {%- endif %}
        {%- endfor %}
        baselines.pattern_posts_72h,
        baselines.pattern_lift_72h,
        baselines.pattern_lift_72h_eb,
        baselines.pattern_engagement_rate_72h,
        baselines.pattern_engagement_rate_72h_eb,
        trends.trend_snapshots,
        trends.trend_age_hours,
        trends.trend_popularity,
        trends.trend_velocity,
        trends.trend_competition,
        trends.trend_popularity_change,
        trends.trend_change_hours,
        greatest(identity.published_at, identity.known_at) as features_known_at,
        {%- for hours in labels %}
        labels.views_{{ hours }}h,
        labels.views_{{ hours }}h_known_at,
        {{ crosses_break(
            'identity.platform',
            'identity.published_at',
            "identity.published_at + interval '" ~ hours ~ "' hour",
        ) }} as views_{{ hours }}h_crosses_break,
        {%- endfor %}
        labels.engagement_rate_72h,
        labels.engagement_rate_72h_known_at
    from identity
    inner join baselines on identity.post_id = baselines.post_id
    inner join trends on identity.post_id = trends.post_id
    inner join earlier_posts on identity.post_id = earlier_posts.post_id
    left join labels on identity.post_id = labels.post_id

)

select * from final
