{#
Which posts of the last days did best for what their product usually reaches?

Parameters: days (30), platform (all). `baseline_ratio` is the views against the median of the
product's other posts at the same age (2 is twice as many), on `baseline_posts` of them;
`views_72h_percentile` is the share of the platform's posts that it passed at 72 hours. Posts
younger than that are judged by what they have so far.

Chart: bar x=views y=product+external_post_id colour=platform
#}
select
    posts.platform,
    posts.external_post_id,
    products.name as product,
    posts.published_at,
    posts.views,
    posts.baseline_ratio,
    posts.baseline_posts,
    posts.views_72h_percentile,
    posts.engagement_rate_eb,
    posts.verdict,
    posts.post_id
from {{ ref('post_performance') }} as posts
inner join {{ ref('products') }} as products on posts.product_id = products.product_id
where posts.published_at >= (
        select max(newest.published_at) from {{ ref('post_performance') }} as newest
    ) - interval '{{ var("days", 30) }}' day
    and '{{ var("platform", "all") }}' in ('all', posts.platform)
order by posts.baseline_ratio desc nulls last, posts.views desc nulls last, posts.post_id asc
limit 25
