{#
Which creative patterns are worth using again, and on what evidence?

Read `shrunk_lift` first: the views at 72 hours to expect against what is usual for the
product and platform (0.2 is 20% more). Where `lift_lo` to `lift_hi` spans 0, the pattern
may as well be ordinary; `lift_posts` says how many posts it rests on. `lift` is what these
posts reached, luck included. A `fatigue_z` under -2 says that it wears out.

Chart: interval x=shrunk_lift lo=lift_lo hi=lift_hi y=hook_text+structure facet=platform
#}
select
    performance.platform,
    performance.rank,
    patterns.hook_text,
    patterns.structure,
    performance.lift_posts,
    performance.lift,
    performance.shrunk_lift,
    performance.lift_lo,
    performance.lift_hi,
    performance.share_above_median,
    performance.engagement_rate_eb,
    performance.fatigue_z,
    performance.last_used_at,
    performance.pattern_id
from {{ ref('creative_pattern_performance') }} as performance
inner join {{ ref('creative_patterns') }} as patterns
    on performance.pattern_id = patterns.pattern_id
where performance.rank <= 10
    and performance.lift_posts > 0
order by performance.platform, performance.rank
