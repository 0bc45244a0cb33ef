{#
Which workflows are stuck or failed lately, where, and with what error?

Parameter: days (7). `last_stage` is how far a run came; a stuck one has been silent for
`idle_seconds`, longer than the runs of its kind take to go on (`stuck_after_seconds`).

Chart: bar x=errors y=kind+workflow_id colour=status
#}
with

newest as (

    select max(last_event_at) as at from {{ ref('workflow_runs') }}

)

select
    runs.kind,
    runs.status,
    runs.workflow_id,
    runs.started_at,
    runs.last_event_at,
    runs.last_stage,
    runs.idle_seconds,
    runs.stuck_after_seconds,
    runs.retries,
    runs.errors,
    runs.last_error
from {{ ref('workflow_runs') }} as runs
cross join newest
where runs.status in ('stuck', 'failed')
    and runs.last_event_at >= newest.at - interval '{{ var("days", 7) }}' day
order by runs.last_event_at desc, runs.workflow_id asc
limit 50
