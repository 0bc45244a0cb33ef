{#
Do posts of newer weeks do better at the same age than those of older ones?

Parameters: age_hours (72; one of reference.age_horizons), platform (all). A row is the posts
of a platform published in one week (Monday, UTC). Only posts with a value at that age count
(`measured`), so that a young week has few; posts around a change of what a view is are left
out. Compare medians: a mean is one viral post.

Chart: line x=week y=views_median colour=platform
#}
select
    posts.platform,
    cast(date_trunc('week', posts.published_at) as date) as week,
    count(*) as posts,
    count(ages.views) as measured,
    percentile_cont(0.25) within group (order by ages.views) as views_p25,
    percentile_cont(0.5) within group (order by ages.views) as views_median,
    percentile_cont(0.75) within group (order by ages.views) as views_p75,
    percentile_cont(0.5) within group (order by ages.engagement_rate) as engagement_rate_median
from {{ ref('post_performance') }} as posts
left join {{ ref('post_age_metrics') }} as ages
    on posts.post_id = ages.post_id
    and ages.horizon_hours = {{ var('age_hours', 72) }}
    and ages.status in ('exact', 'ok')
    and not ages.crosses_break
where '{{ var("platform", "all") }}' in ('all', posts.platform)
group by posts.platform, cast(date_trunc('week', posts.published_at) as date)
order by week desc, posts.platform asc
