{{ config(materialized='table') }}

with

facts as (

    select * from {{ ref('int_post_facts') }}

),

{# Counts of before and after a platform changed what a view is are not compared: posts
   are grouped by the era they were published in, and a value whose post lived through a
   change before its age is left out. #}
outcomes as (

    select
        post_id,
        platform,
        product_id,
        pattern_id,
        script_id,
        experiment_id,
        published_at,
        definition_era,
        crosses_break,
        views,
        engagements,
        engagement_rate,
        case
            when {{ crosses_break(
                'facts.platform', 'facts.published_at', "facts.published_at + interval '24' hour"
            ) }} then null
            else views_24h
        end as views_24h,
        case
            when {{ crosses_break(
                'facts.platform', 'facts.published_at', "facts.published_at + interval '72' hour"
            ) }} then null
            else views_72h
        end as views_72h,
        case
            when {{ crosses_break(
                'facts.platform', 'facts.published_at', "facts.published_at + interval '72' hour"
            ) }} then null
            else engagement_rate_72h
        end as engagement_rate_72h,
        known_at
    from facts

),

platforms as (

    select
        platform,
        definition_era,
        {{ median_of('views_72h') }} as median_72h
    from outcomes
    group by platform, definition_era

),

products as (

    select
        product_id,
        platform,
        definition_era,
        {{ median_of('views_72h') }} as median_72h,
        count(views_72h) as posts_72h
    from outcomes
    where product_id is not null
    group by product_id, platform, definition_era

),

compared as (

    select
        outcomes.*,
        platforms.median_72h as platform_median_72h,
        products.median_72h as product_median_72h,
        coalesce(products.posts_72h, 0) as product_posts_72h,
        case
            when products.posts_72h >= {{ var('min_product_posts') }} then products.median_72h
            else platforms.median_72h
        end as reference_median_72h
    from outcomes
    inner join platforms
        on outcomes.platform = platforms.platform
        and outcomes.definition_era = platforms.definition_era
    left join products
        on outcomes.product_id = products.product_id
        and outcomes.platform = products.platform
        and outcomes.definition_era = products.definition_era

),

final as (

    select
        post_id,
        platform,
        product_id,
        pattern_id,
        script_id,
        experiment_id,
        published_at,
        definition_era,
        crosses_break,
        views,
        engagements,
        engagement_rate,
        views_24h,
        views_72h,
        engagement_rate_72h,
        platform_median_72h,
        product_median_72h,
        product_posts_72h,
        reference_median_72h,
        ln((1 + views_72h) / (1 + reference_median_72h)) as log_lift_72h,
        known_at
    from compared

)

select * from final
