with

events as (

    select
        event_id,
        agent_name,
        cast(created_at at time zone 'UTC' as date) as day,
        created_at,
        run_id,
        task,
        outcome,
        is_frame,
        place,
        known_at
    from {{ ref('int_workflow_events') }}

),

build as (

    select {{ as_of() }} as as_of

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

gaps as (

    select
        agent_name,
        day,
        {{ hours_between(
            'lag(created_at) over (partition by agent_name order by place)', 'created_at'
        ) }} as gap_hours
    from events

),

longest_gaps as (

    select
        agent_name,
        day,
        max(gap_hours) as longest_gap_hours
    from gaps
    group by agent_name, day

),

{# How long an agent is silent on an ordinary day: bursts of events do not make it
   shorter, one long silence not longer. #}
usual as (

    select
        agent_name,
        {{ median_of('longest_gap_hours') }} as usual_gap_hours
    from longest_gaps
    where longest_gap_hours is not null
    group by agent_name
    having count(*) >= {{ var('min_usual') }}

),

{# A storm does not end at midnight: each of its days has all its retries. #}
retried_runs as (

    select
        agent_name,
        day,
        count(*) over (partition by agent_name, run_id) as retries
    from events
    where outcome = 'retry'
        and run_id is not null

),

run_retries as (

    select
        agent_name,
        day,
        max(retries) as most_retries
    from retried_runs
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
        max(created_at) as last_seen_at,
        max(known_at) as known_at
    from events
    group by agent_name, day

),

usual_retries as (

    select
        agent_name,
        {{ median_of('retries') }} as usual_retries
    from days
    group by agent_name

),

ranked as (

    select
        days.*,
        max(day) over (partition by agent_name) = day as is_latest
    from days

),

final as (

    select
        ranked.agent_name,
        ranked.day,
        ranked.events,
        ranked.starts,
        ranked.successes,
        ranked.errors,
        {{ ratio('ranked.errors', 'ranked.successes + ranked.errors') }} as error_rate,
        durations.p50_duration_seconds,
        durations.p95_duration_seconds,
        ranked.retries,
        coalesce(run_retries.most_retries, 0) as most_retries_of_a_run,
        coalesce(run_retries.most_retries, 0) >= {{ var('retry_storm') }}
        or (
            ranked.retries >= {{ var('retry_storm') }}
            and ranked.retries > {{ var('overdue_factor') }} * usual_retries.usual_retries
        ) as is_retry_storm,
        ranked.last_seen_at,
        ranked.is_latest,
        usual.usual_gap_hours,
        case
            when ranked.is_latest then {{ hours_between('ranked.last_seen_at', 'build.as_of') }}
        end
            as silent_hours,
        case
            when not ranked.is_latest then false
            when usual.usual_gap_hours is not null
            then {{ hours_between('ranked.last_seen_at', 'build.as_of') }} > greatest(
                    usual.usual_gap_hours * {{ var('overdue_factor') }},
                    {{ var('stuck_minutes') }} / cast(60 as {{ type_double() }})
                )
        end as is_silent,
        ranked.known_at
    from ranked
    cross join build
    inner join usual_retries on ranked.agent_name = usual_retries.agent_name
    left join durations
        on ranked.agent_name = durations.agent_name
        and ranked.day = durations.day
    left join run_retries
        on ranked.agent_name = run_retries.agent_name
        and ranked.day = run_retries.day
    left join usual on ranked.agent_name = usual.agent_name

)

select * from final
