{#
Which young posts are expected to end well above what is usual on their platform?

Parameter: target_hours (168; or 24, 72). `predicted` are the views a post will have at that
age, between `lo80` and `hi80` in 80 of 100 cases; `against_median` is that by the platform's
median there. Where even `lo80` is above the 75th percentile (`is_sure`), boosting is not a bet.

Chart: interval x=predicted lo=lo80 hi=hi80 y=product+external_post_id colour=platform
#}
select
    forecasts.platform,
    posts.external_post_id,
    products.name as product,
    forecasts.latest_age_hours,
    forecasts.latest_views,
    forecasts.predicted,
    forecasts.lo80,
    forecasts.hi80,
    forecasts.predicted / nullif(benchmarks.p50, 0) as against_median,
    forecasts.lo80 > benchmarks.p75 as is_sure,
    benchmarks.n_posts,
    forecasts.post_id
from {{ ref('post_forecasts') }} as forecasts
inner join {{ ref('post_performance') }} as posts on forecasts.post_id = posts.post_id
inner join {{ ref('products') }} as products on posts.product_id = products.product_id
inner join {{ ref('platform_benchmarks') }} as benchmarks
    on forecasts.platform = benchmarks.platform
    and forecasts.target_hours = benchmarks.horizon_hours
    and benchmarks.metric = 'views'
where forecasts.target_hours = {{ var('target_hours', 168) }}
    and not forecasts.crosses_break
order by against_median desc nulls last, forecasts.post_id asc
limit 25
