{#
At which hours of the week do posts do better, and how sure is that?

Parameter: platform (all: each one's best ten). `effect` is in logarithms of views: 0.1 is about
10% more than at the average hour, between `effect_lo` and `effect_hi`. Where these span 0 the
hour may as well be ordinary. Hours are UTC; weekday 1 is Monday. `n_posts` were published in
that very hour of the week, `hour_n` at that hour of any day; of that hour of any day more is known
than of the week's: `hour_effect_lo` to `hour_effect_hi`.

Chart: interval x=effect lo=effect_lo hi=effect_hi y=hour_of_week facet=platform
#}
select
    platform,
    substr('MonTueWedThuFriSatSun', cast(weekday * 3 - 2 as integer), 3)
    || ' ' || lpad(cast(hour as text), 2, '0') || ':00' as hour_of_week,
    weekday,
    hour,
    effect,
    effect_lo,
    effect_hi,
    effect_lo > 0 or effect_hi < 0 as is_told_apart,
    hour_effect,
    hour_effect_lo,
    hour_effect_hi,
    n_posts,
    hour_n,
    weekday_n,
    rank
from {{ ref('posting_times') }}
where rank <= 10
    and '{{ var("platform", "all") }}' in ('all', platform)
order by platform, rank
