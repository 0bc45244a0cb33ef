{#
What is trending around each product, by its newest snapshot?

One row for each tag of the snapshot, with the tag's newest day on each platform where
trending videos carry it; a product whose tags nobody carries has one row without a
platform. Begin with products whose `direction` is up and tags with `is_breakout`;
`trend_score` is 0 to 100, 50 where a tag is expected to stay at 1.5 times its past. `is_stale`
means that the product was not looked at lately.

Chart: bar x=trend_score y=name+hashtag colour=platform
#}
with

newest_days as (

    select
        platform,
        max(day) as day
    from {{ ref('hashtag_trends') }}
    where trend_score is not null
    group by platform

),

newest_tags as (

    select hashtags.*
    from {{ ref('hashtag_trends') }} as hashtags
    inner join newest_days
        on hashtags.platform = newest_days.platform
        and hashtags.day = newest_days.day

)

select
    products.name,
    trends.direction,
    trends.weekly_change,
    trends.opportunity,
    trends.is_stale,
    trends.snapshot_time,
    newest_tags.platform,
    newest_tags.hashtag,
    newest_tags.videos,
    newest_tags.trend_score,
    newest_tags.is_breakout,
    trends.product_id
from {{ ref('product_trends') }} as trends
inner join {{ ref('products') }} as products on trends.product_id = products.product_id
left join newest_tags on newest_tags.hashtag = any(trends.tags)
where trends.is_latest
order by
    trends.opportunity desc nulls last,
    products.name asc,
    newest_tags.trend_score desc nulls last,
    newest_tags.platform asc,
    newest_tags.hashtag asc
