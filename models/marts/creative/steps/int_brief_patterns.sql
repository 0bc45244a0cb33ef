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

used_anywhere as (

    select
        pattern_id,
        cast(sum(posts) as bigint) as posts
    from used_here
    group by pattern_id

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

described as (

    select
        relevant.product_id,
        relevant.pattern_id,
        patterns.hook,
        patterns.structure,
        patterns.look,
        patterns.feel,
        patterns.named,
        patterns.described,
        coalesce(used_here.posts, 0) as posts_here,
        coalesce(used_anywhere.posts, 0) as posts_anywhere,
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
    left join used_anywhere on relevant.pattern_id = used_anywhere.pattern_id
    left join used_here
        on relevant.product_id = used_here.product_id
        and relevant.pattern_id = used_here.pattern_id

),

{# A pattern that wears out is no recommendation, however good it was. What the product tried
   itself comes before what others did. #}
working as (

    select
        product_id,
        pattern_id,
        row_number() over (
            partition by product_id
            order by posts_here >= {{ var('gap_trials') }} desc, rank
        ) as works_place
    from described
    where lift_posts >= {{ var('gap_trials') }}
        and {{ significant('shrunk_lift') }} >= 0.02
        and not wears_out

),

final as (

    select
        described.*,
        working.works_place,
        case
            when described.posts_here = 0 then 'other products'
            when described.posts_here >= described.posts_anywhere then 'this product'
            else 'this product and others'
        end as evidence_from
    from described
    left join working
        on described.product_id = working.product_id
        and described.pattern_id = working.pattern_id

)

select * from final
