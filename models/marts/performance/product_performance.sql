with

products as (

    select
        product_id,
        known_at
    from {{ ref('accepted_products') }}

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

posts as (

    select
        outcomes.product_id,
        outcomes.platform,
        outcomes.post_id,
        outcomes.published_at,
        outcomes.published_at > build.as_of - interval '30' day
        and outcomes.published_at <= build.as_of as is_recent,
        outcomes.views,
        outcomes.engagements,
        case
            when outcomes.views > 0 and outcomes.engagements is not null
            then cast(outcomes.views as {{ type_double() }})
        end as exposure,
        case when outcomes.views > 0 then outcomes.engagements end as events,
        {# What is usual on the platform is taken off, so that a change of platforms, or of
           what they count, is no trend. #}
        ln((1 + outcomes.views_72h) / (1 + outcomes.platform_median_72h)) as log_level,
        case
            when outcomes.definition_era = max(
                    case when outcomes.views_72h is not null then outcomes.definition_era end
                ) over (partition by outcomes.product_id, outcomes.platform)
            then outcomes.views_72h
        end as views_72h,
        outcomes.known_at
    from outcomes
    cross join build
    where outcomes.product_id is not null

),

{# Every post counts on its platform and among all. #}
scoped as (

    select
        posts.*,
        posts.platform as scope
    from posts
    union all
    select
        posts.*,
        'all' as scope
    from posts

),

totals as (

    select
        product_id,
        scope,
        count(*) as posts,
        cast(sum(views) as bigint) as views,
        cast(sum(engagements) as bigint) as engagements,
        cast(sum(events) as {{ type_double() }}) as events,
        sum(exposure) as exposure,
        sum(exposure * exposure) as squared_exposure,
        {{ median_of('views_72h') }} as views_72h_median,
        max(published_at) as last_published_at,
        count(*) filter (where is_recent) as posts_30d,
        cast(sum(views) filter (where is_recent) as bigint) as views_30d,
        max(known_at) as known_at
    from scoped
    group by product_id, scope

),

best as (

    select
        product_id,
        scope,
        post_id,
        row_number() over (
            partition by product_id, scope order by {{ significant('views_72h') }} desc, post_id
        ) as place
    from scoped
    where views_72h is not null

),

latest as (

    select
        product_id,
        scope,
        log_level,
        row_number() over (
            partition by product_id, scope order by published_at desc, post_id desc
        ) as posts_ago
    from scoped
    where log_level is not null

),

trends as (

    select
        product_id,
        scope,
        {{ exact_mean('case when posts_ago <= 5 then log_level end') }}
        - {{ exact_mean('case when posts_ago > 5 then log_level end') }} as trend_last5
    from latest
    where posts_ago <= 10
    group by product_id, scope
    having count(*) = 10

),

{# Every product has its row among all, and one for each platform it was posted on. #}
scopes as (

    select
        product_id,
        'all' as scope
    from products
    union
    select
        product_id,
        scope
    from totals

),

{# What the posts of a product say about its rate: no more than their views, and no more
   than one post of the platform does for each of them (the prior's weight), as posts of
   one product differ too. Posts of unequal views count as fewer equal ones. #}
evidence as (

    select
        totals.product_id,
        totals.scope,
        totals.exposure,
        totals.events,
        1 / (
            1 / totals.exposure
            + totals.squared_exposure / (priors.prior_rate * totals.exposure * totals.exposure)
        ) as weight
    from totals
    inner join priors on totals.scope = priors.platform
    where totals.exposure > 0

),

posteriors as (

    select
        scopes.product_id,
        scopes.scope,
        priors.prior_shape
        + coalesce(evidence.weight * evidence.events / evidence.exposure, 0) as shape,
        priors.prior_rate + coalesce(evidence.weight, 0) as rate
    from scopes
    inner join priors on scopes.scope = priors.platform
    left join evidence
        on scopes.product_id = evidence.product_id
        and scopes.scope = evidence.scope

),

joined as (

    select
        products.product_id,
        posteriors.scope as platform,
        coalesce(totals.posts, 0) as posts,
        totals.views,
        totals.engagements,
        {{ rate_per_view('totals.events', 'totals.exposure') }} as engagement_rate,
        posteriors.shape / posteriors.rate as engagement_rate_eb,
        {{ gamma_quantile('posteriors.shape', 'posteriors.rate', '-1.96') }} as low,
        {{ gamma_quantile('posteriors.shape', 'posteriors.rate', '1.96') }} as high,
        totals.views_72h_median,
        best.post_id as best_post_id,
        totals.last_published_at,
        coalesce(totals.posts_30d, 0) as posts_30d,
        totals.views_30d,
        trends.trend_last5,
        greatest(products.known_at, totals.known_at) as known_at
    from products
    inner join posteriors on products.product_id = posteriors.product_id
    left join totals
        on posteriors.product_id = totals.product_id
        and posteriors.scope = totals.scope
    left join best
        on posteriors.product_id = best.product_id
        and posteriors.scope = best.scope
        and best.place = 1
    left join trends
        on posteriors.product_id = trends.product_id
        and posteriors.scope = trends.scope

),

final as (

    select
        product_id,
        platform,
        posts,
        views,
        engagements,
        engagement_rate,
        engagement_rate_eb,
        least(low, engagement_rate_eb) as engagement_rate_eb_lo,
        greatest(high, engagement_rate_eb) as engagement_rate_eb_hi,
        views_72h_median,
        best_post_id,
        last_published_at,
        posts_30d,
        views_30d,
        trend_last5,
        known_at,
        {{ is_total() }} as is_total
    from joined

)

select * from final
