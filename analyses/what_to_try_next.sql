{#
What should each product try next on each platform, and why?

One row for a product and platform: its best gap, the pattern it hardly tried whose expected
upside, uncertainty and product trend weigh most. `expected_lift` is against what is usual for
the product (0.2 is 20% more), between `expected_lift_lo` and `expected_lift_hi`.

Chart: interval x=expected_lift lo=expected_lift_lo hi=expected_lift_hi y=product+hook_text colour=platform
#}
select
    products.name as product,
    gaps.platform,
    patterns.hook_text,
    patterns.structure,
    gaps.trials,
    gaps.pattern_posts,
    gaps.expected_lift,
    gaps.expected_lift_lo,
    gaps.expected_lift_hi,
    gaps.priority,
    gaps.reason,
    gaps.product_id,
    gaps.pattern_id
from {{ ref('experiment_gaps') }} as gaps
inner join {{ ref('products') }} as products on gaps.product_id = products.product_id
inner join {{ ref('creative_patterns') }} as patterns on gaps.pattern_id = patterns.pattern_id
where gaps.rank = 1
order by gaps.priority desc, products.name asc, gaps.platform asc
