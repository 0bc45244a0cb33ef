{#
Which opening lines go with more views, whatever else the video is made of?

Parameter: platform (all, which is every platform's posts together). A hook stands in several
patterns, of other structures and styles. `lift` is what its posts reached at 72 hours against what
is usual for their product and platform (0.2 is 20% more), luck included. `least` and `most` are what
to expect of its weakest and its best pattern: where both are above 0, the hook does it and not what it
is combined with. `surely_better` and `surely_worse` count its patterns whose interval lies on one side
of 0.

Chart: interval x=lift lo=least hi=most y=hook
#}
select
    patterns.hook_text as hook,
    count(*) as patterns,
    cast(sum(performance.lift_posts) as bigint) as posts,
    exp(
        sum(performance.lift_posts * ln(1 + performance.lift)) / sum(performance.lift_posts)
    ) - 1 as lift,
    min(performance.shrunk_lift) as least,
    max(performance.shrunk_lift) as most,
    sum(case when performance.lift_lo > 0 then 1 else 0 end) as surely_better,
    sum(case when performance.lift_hi < 0 then 1 else 0 end) as surely_worse
from {{ ref('creative_pattern_performance') }} as performance
inner join {{ ref('creative_patterns') }} as patterns
    on performance.pattern_id = patterns.pattern_id
where performance.platform = '{{ var("platform", "all") }}'
    and performance.lift_posts > 0
    and patterns.hook_text is not null
group by patterns.hook_text
order by least desc, hook asc
