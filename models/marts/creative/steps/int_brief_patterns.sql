{{ config(materialized='table') }}

with

products as (

    select product_id from {{ ref('accepted_products') }}

),

patterns as (

    select * from {{ ref('int_pattern_words') }}

),

performance as (

    select * from {{ ref('creative_pattern_performance') }}
    where platform = 'all'

),

used_here as (

    select
        product_id,
        pattern_id,
        count(*) as posts
    from {{ ref('int_post_outcomes') }}
    where product_id is not null
        and pattern_id is not null
    group by product_id, pattern_id

),

{# The product's own, those it used, the best of those that are nobody's. #}
relevant as (

    select
        product_id,
        pattern_id
    from patterns
    where product_id is not null
    union
    select
        product_id,
        pattern_id
    from used_here
    union
    select
        products.product_id,
        patterns.pattern_id
    from products
    cross join patterns
    inner join performance on patterns.pattern_id = performance.pattern_id
    where patterns.product_id is null
        and performance.rank <= {{ var('gap_candidates') }}

),

final as (

    select
        relevant.product_id,
        relevant.pattern_id,
        patterns.hook,
        patterns.structure,
        patterns.look,
        patterns.feel,
        patterns.named,
        coalesce(used_here.posts, 0) as posts_here,
        performance.lift_posts,
        performance.shrunk_lift,
        performance.lift_lo,
        performance.lift_hi,
        performance.share_above_median,
        performance.engagement_rate_eb,
        performance.engagement_rate_eb_lo,
        performance.engagement_rate_eb_hi,
        performance.rank,
        coalesce(performance.fatigue_z, 0) <= -2 as wears_out,
        performance.shrunk_lift < -0.05
        and performance.lift_posts >= {{ var('min_tag_posts') }} as does_worse
    from relevant
    inner join patterns on relevant.pattern_id = patterns.pattern_id
    inner join performance on relevant.pattern_id = performance.pattern_id
    left join used_here
        on relevant.product_id = used_here.product_id
        and relevant.pattern_id = used_here.pattern_id

)

select * from final
