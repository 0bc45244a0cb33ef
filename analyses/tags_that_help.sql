{#
Which styles, structures, hashtags and variables go with more views, other tags held equal?

Parameter: platform (all, which is every platform's posts together). `adjusted_lift` tells tags
apart that travel together (0.2 is about 20% more views), between `adjusted_lo` and
`adjusted_hi`; `shrunk_lift` is the tag by itself. Nobody drew lots, and a `q_value` of 0.1
means that one in ten of the tags listed up to there is there by chance.

Chart: interval x=adjusted_lift lo=adjusted_lo hi=adjusted_hi y=tag+kind colour=kind
#}
select
    kind,
    tag,
    posts_with,
    posts_without,
    products,
    adjusted_lift,
    adjusted_lo,
    adjusted_hi,
    shrunk_lift,
    q_value
from {{ ref('creative_tag_effects') }}
where platform = '{{ var("platform", "all") }}'
    and shrunk_lift is not null
order by q_value asc nulls last, abs(coalesce(adjusted_lift, shrunk_lift)) desc, kind asc, tag asc
limit 40
