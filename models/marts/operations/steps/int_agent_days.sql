{{ config(materialized='table') }}

with

{# A storm of retries does not end at midnight: each of its days has all its retries. #}
events as (

    select
        agent_name,
        cast({{ in_utc('created_at') }} as date) as day,
        created_at,
        run_id,
        task,
        outcome,
        is_frame,
        place,
        {{ hours_between(
            'lag(created_at) over (partition by agent_name order by place)', 'created_at'
        ) }} as gap_hours,
        case
            when run_id is not null
            then
                count(case when outcome = 'retry' then 1 end)
                    over (partition by agent_name, run_id)
        end as run_retries,
        known_at
    from {{ ref('int_workflow_events') }}

),

{# Each outcome belongs to the start before it, of the same agent, task and run. Runs
   themselves (workflow.start to workflow.end) are in workflow_runs. #}
tasks as (

    select
        agent_name,
        day,
        outcome,
        created_at,
        lag(outcome)
            over (partition by agent_name, task, run_id order by place)
            as previous_outcome,
        lag(created_at) over (partition by agent_name, task, run_id order by place) as previous_at
    from events
    where outcome in ('start', 'success', 'error')
        and not is_frame

),

durations as (

    select
        agent_name,
        day,
        {{ quantile_of(hours_between('previous_at', 'created_at') ~ ' * 3600', 0.5) }}
            as p50_duration_seconds,
        {{ quantile_of(hours_between('previous_at', 'created_at') ~ ' * 3600', 0.95) }}
            as p95_duration_seconds
    from tasks
    where outcome <> 'start'
        and previous_outcome = 'start'
    group by agent_name, day

),

days as (

    select
        agent_name,
        day,
        count(*) as events,
        count(*) filter (where outcome = 'start') as starts,
        count(*) filter (where outcome in ('success', 'end')) as successes,
        count(*) filter (where outcome = 'error') as errors,
        count(*) filter (where outcome = 'retry') as retries,
        coalesce(max(run_retries) filter (where outcome = 'retry'), 0) as most_retries_of_a_run,
        max(gap_hours) as longest_gap_hours,
        max(created_at) as last_seen_at,
        max(known_at) as known_at
    from events
    group by agent_name, day

),

{# How long an agent is silent on an ordinary day: bursts of events do not make it
   shorter, one long silence not longer. #}
usual as (

    select
        agent_name,
        max(day) as latest_day,
        {{ median_of('retries') }} as usual_retries,
        case
            when count(longest_gap_hours) >= {{ var('min_usual') }}
            then {{ median_of('longest_gap_hours') }}
        end as usual_gap_hours
    from days
    group by agent_name

),

final as (

    select
        days.agent_name,
        days.day,
        days.events,
        days.starts,
        days.successes,
        days.errors,
        {{ ratio('days.errors', 'days.successes + days.errors') }} as error_rate,
        durations.p50_duration_seconds,
        durations.p95_duration_seconds,
        days.retries,
        days.most_retries_of_a_run,
        days.most_retries_of_a_run >= {{ var('retry_storm') }}
        or (
            days.retries >= {{ var('retry_storm') }}
            and days.retries > {{ var('overdue_factor') }} * usual.usual_retries
        ) as is_retry_storm,
        days.last_seen_at,
        days.day = usual.latest_day as is_latest,
        usual.usual_gap_hours,
        days.known_at
    from days
    inner join usual on days.agent_name = usual.agent_name
    left join durations
        on days.agent_name = durations.agent_name
        and days.day = durations.day

)

select * from final
