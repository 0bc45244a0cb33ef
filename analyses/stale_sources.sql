{#
Which sources have stopped or come late, and which polls are missing?

Relative to the release's as-of time; `ace status` judges the same against the clock.
`lag_p95_hours` is how late 95 of 100 records came after what they tell of happened.
`polls_received` below `polls_expected` means posts that nobody looked at in time.

Chart: bar x=age_hours y=source+resource colour=is_stale
#}
select
    source,
    resource,
    is_stale,
    age_hours,
    stale_after_hours,
    lag_p50_hours,
    lag_p95_hours,
    polls_expected,
    polls_received,
    last_extracted_at,
    unknown_fields
from {{ ref('feature_freshness') }}
order by is_stale desc, age_hours desc nulls last, source asc, resource asc
