{#
Which products gain attention and which lose it, and do their own posts follow?

`weekly_change` is the attention now against a week ago (0.1 is a tenth more), `expected_change`
what the next seven days are expected to bring, for the reasons in `why`. `trend_last5` is how
the product's last five posts do against its earlier ones. A stale product was not looked at
lately: its figures are old.

Chart: bar x=weekly_change y=product colour=direction
#}
select
    products.name as product,
    trends.direction,
    trends.weekly_change,
    trends.expected_change,
    trends.opportunity,
    trends.is_stale,
    performance.posts_30d,
    performance.views_30d,
    performance.trend_last5,
    performance.engagement_rate_eb,
    trends.why,
    trends.product_id
from {{ ref('product_trends') }} as trends
inner join {{ ref('products') }} as products on trends.product_id = products.product_id
left join {{ ref('product_performance') }} as performance
    on trends.product_id = performance.product_id
    and performance.is_total
where trends.is_latest
order by trends.is_stale asc, trends.weekly_change desc nulls last, products.name asc
