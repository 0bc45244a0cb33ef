{#
Which agents fail more than they used to, or have gone silent?

Parameter: days (7), the newest of which are held against the days before. `error_rate_before`
is of all earlier days; `retries` and `p95_duration_seconds` are of the newest days, the latter
its worst day. An agent that `is_silent` has said nothing for three times its usual gap.

Chart: bar x=errors_per_start y=agent_name colour=is_silent
#}
with

newest as (

    select max(day) as day from {{ ref('agent_health') }}

),

labelled as (

    select
        health.*,
        health.day > newest.day - {{ var('days', 7) }} as is_recent
    from {{ ref('agent_health') }} as health
    cross join newest

)

select
    agent_name,
    sum(events) filter (where is_recent) as events,
    sum(errors) filter (where is_recent) as errors,
    cast(sum(errors) filter (where is_recent) as double precision)
    / nullif(sum(starts) filter (where is_recent), 0) as errors_per_start,
    cast(sum(errors) filter (where not is_recent) as double precision)
    / nullif(sum(starts) filter (where not is_recent), 0) as errors_per_start_before,
    sum(retries) filter (where is_recent) as retries,
    max(p95_duration_seconds) filter (where is_recent) as p95_duration_seconds,
    max(last_seen_at) as last_seen_at,
    max(silent_hours) filter (where is_latest) as silent_hours,
    bool_or(is_silent) filter (where is_latest) as is_silent
from labelled
group by agent_name
order by
    bool_or(is_silent) filter (where is_latest) desc nulls last,
    errors_per_start desc nulls last,
    agent_name asc
