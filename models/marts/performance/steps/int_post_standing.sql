{{ config(materialized='table') }}

with

facts as (

    select * from {{ ref('int_post_facts') }}

),

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

priors as (

    select
        platform,
        prior_shape,
        prior_rate
    from {{ ref('platform_benchmarks') }}
    where horizon_hours = 0
        and metric = 'engagement_rate'

),

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

),

recent as (

    select outcomes.*
    from outcomes
    cross join build
    where outcomes.published_at > build.as_of - interval '{{ var("percentile_days") }}' day
        and outcomes.published_at <= build.as_of

),

views_ranked as (

    select
        post_id,
        count(*) over (partition by platform, definition_era) as posts,
        {{ mid_rank('views', 'platform, definition_era') }} as percentile
    from (
        select
            post_id,
            platform,
            definition_era,
            {{ significant('views_72h') }} as views
        from recent
        where views_72h is not null
    ) as known

),

engagement_ranked as (

    select
        post_id,
        count(*) over (partition by platform, definition_era) as posts,
        {{ mid_rank('rate', 'platform, definition_era') }} as percentile
    from (
        select
            post_id,
            platform,
            definition_era,
            {{ significant('engagement_rate') }} as rate
        from recent
        where engagement_rate is not null
            and not crosses_break
    ) as known

),

{# The last posts with a value before this one, of the product and of the platform. Of
   posts of the same instant the smaller key is the earlier one. #}
earlier as (

    select
        post_id,
        views_72h,
        case
            when product_id is not null then {{ frame_values('views_72h') }} over of_product
        end as product_values,
        case when product_id is not null then count(*) over of_product else 0 end
            as product_posts,
        {{ frame_values('views_72h') }} over of_platform as platform_values,
        count(*) over of_platform as platform_posts
    from outcomes
    where views_72h is not null
    window
        of_product as (
            partition by platform, definition_era, product_id
            order by published_at, post_id
            rows between {{ var('baseline_posts') }} preceding and 1 preceding
        ),
        of_platform as (
            partition by platform, definition_era
            order by published_at, post_id
            rows between {{ var('baseline_posts') }} preceding and 1 preceding
        )

),

baselines as (

    select
        post_id,
        {{ ratio(
            'views_72h',
            'case when product_posts > 0 then ' ~ frame_median('product_values')
            ~ ' else ' ~ frame_median('platform_values') ~ ' end'
        ) }} as baseline_ratio,
        case
            when product_posts > 0 then product_posts
            when platform_posts > 0 then platform_posts
        end as baseline_posts,
        case
            when product_posts > 0 then 'product'
            when platform_posts > 0 then 'platform'
        end as baseline_scope
    from earlier

),

posteriors as (

    select
        facts.post_id,
        priors.prior_shape
        + case when facts.views > 0 then coalesce(facts.engagements, 0) else 0 end as shape,
        priors.prior_rate + case
            when facts.views > 0 and facts.engagements is not null then facts.views
            else 0
        end as rate
    from facts
    inner join priors on facts.platform = priors.platform

),

joined as (

    select
        facts.post_id,
        facts.status_72h,
        posteriors.shape / posteriors.rate as engagement_rate_eb,
        {{ gamma_quantile('posteriors.shape', 'posteriors.rate', '-1.96') }} as low,
        {{ gamma_quantile('posteriors.shape', 'posteriors.rate', '1.96') }} as high,
        case
            when views_ranked.posts >= {{ var('min_percentile_posts') }} then
                views_ranked.percentile
        end
            as views_72h_percentile,
        case
            when engagement_ranked.posts >= {{ var('min_percentile_posts') }} then
                engagement_ranked.percentile
        end as engagement_percentile,
        views_ranked.posts as percentile_posts,
        baselines.baseline_ratio,
        baselines.baseline_posts,
        baselines.baseline_scope
    from facts
    inner join posteriors on facts.post_id = posteriors.post_id
    left join views_ranked on facts.post_id = views_ranked.post_id
    left join engagement_ranked on facts.post_id = engagement_ranked.post_id
    left join baselines on facts.post_id = baselines.post_id

),

final as (

    select
        post_id,
        engagement_rate_eb,
        {# The interval always holds its mean, also where a prior of next to no weight puts
           the mean beyond the quantile. #}
        least(low, engagement_rate_eb) as engagement_rate_eb_lo,
        greatest(high, engagement_rate_eb) as engagement_rate_eb_hi,
        views_72h_percentile,
        engagement_percentile,
        percentile_posts,
        baseline_ratio,
        cast(baseline_posts as bigint) as baseline_posts,
        baseline_scope,
        case
            when status_72h = 'pending' then 'pending'
            when views_72h_percentile is null then 'unknown'
            when {{ at_least('views_72h_percentile', '0.95') }} then 'breakout'
            when {{ at_least('views_72h_percentile', '0.75') }} then 'strong'
            when {{ at_least('0.25', 'views_72h_percentile') }} then 'weak'
            else 'normal'
        end as verdict
    from joined

)

select * from final
