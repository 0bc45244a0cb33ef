{{ config(materialized='table') }}

with

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

newest_eras as (

    select
        platform,
        max(definition_era) as definition_era
    from outcomes
    group by platform

),

{# Rates and counts at an age stand for what a view is today: posts of the newest era. #}
posts as (

    select
        outcomes.post_id,
        outcomes.platform,
        outcomes.pattern_id,
        outcomes.published_at,
        outcomes.known_at,
        outcomes.views,
        outcomes.engagements,
        outcomes.log_lift_72h as log_lift,
        case
            when outcomes.log_lift_72h is null then null
            when
                {{ significant('outcomes.views_72h') }}
                > {{ significant('outcomes.reference_median_72h') }}
            then
                1
            else 0
        end as above_median,
        case
            when outcomes.definition_era = newest_eras.definition_era then outcomes.views_72h
        end as views_72h,
        case
            when outcomes.definition_era = newest_eras.definition_era
                and not outcomes.crosses_break
                and outcomes.engagements is not null
                and outcomes.views > 0
            then outcomes.views
        end as exposure
    from outcomes
    inner join newest_eras on outcomes.platform = newest_eras.platform

),

{# What a platform's posts reach on average, each counted once: what tells how much of a
   pattern's rate is only where it was posted. #}
platform_levels as (

    select
        platform,
        {{ exact_mean(ratio('engagements', 'exposure'), 15) }} as level
    from posts
    where exposure >= {{ var('min_views') }}
    group by platform

),

overall_level as (

    select {{ exact_mean(ratio('engagements', 'exposure'), 15) }} as level
    from posts
    where exposure >= {{ var('min_views') }}

),

{# For `all`, views are counted by what their platform would make of them. #}
placed as (

    select
        posts.*,
        cast(exposure as {{ type_double() }}) as fair_exposure
    from posts
    union all
    select
        posts.post_id,
        'all' as platform,
        posts.pattern_id,
        posts.published_at,
        posts.known_at,
        posts.views,
        posts.engagements,
        posts.log_lift,
        posts.above_median,
        posts.views_72h,
        posts.exposure,
        posts.exposure
        * coalesce({{ ratio('platform_levels.level', 'overall_level.level') }}, 1) as fair_exposure
    from posts
    cross join overall_level
    left join platform_levels on posts.platform = platform_levels.platform

),

final as (

    select
        *,
        {{ ratio('engagements', 'fair_exposure') }} as fair_rate
    from placed

)

select * from final
