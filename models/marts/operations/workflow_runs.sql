with

events as {{ inlined() }} (

    select *
    from {{ ref('int_workflow_events') }}
    where run_id is not null

),

build as (

    select {{ as_of() }} as as_of

),

gaps as (

    select
        run_id,
        {{ hours_between(
            'lag(created_at) over (partition by run_id order by place)', 'created_at'
        ) }} * 3600 as gap_seconds
    from events

),

longest_gaps as (

    select
        run_id,
        max(gap_seconds) as longest_gap_seconds
    from gaps
    group by run_id

),

{# What each run did with each of its tasks, such as rendering. #}
tasks as (

    select
        run_id,
        task,
        count(*) filter (where outcome = 'start') as starts,
        count(*) filter (where outcome in ('success', 'error', 'end')) as outcomes,
        count(*) filter (where needs_start or outcome = 'end') as successes,
        min(place) filter (where outcome = 'start') as first_start,
        max(place) filter (where outcome = 'start') as last_start,
        min(place) filter (where needs_start or outcome = 'end') as first_success,
        max(place) filter (where outcome in ('success', 'error', 'end')) as last_outcome,
        max(place) filter (where outcome in ('start', 'retry')) as last_opened
    from events
    where outcome <> 'info'
    group by run_id, task

),

violations as (

    select
        run_id,
        max(case when successes > starts or first_success < first_start then 1 else 0 end)
        = 1 as success_without_start,
        max(case when starts > outcomes or last_start > last_outcome then 1 else 0 end)
        = 1 as has_open_start,
        max(case when starts > 0 and last_opened > coalesce(last_outcome, 0) then 1 else 0 end)
        = 1 as has_open_task
    from tasks
    group by run_id

),

ordered_stages as (

    select
        run_id,
        stage,
        min(place) as first_place
    from events
    where stage <> 'workflow'
    group by run_id, stage

),

stages as (

    select
        run_id,
        array_agg(stage order by first_place) as stages
    from ordered_stages
    group by run_id

),

summed as (

    select
        run_id,
        max(run_id_kind) as run_id_kind,
        count(*) as events,
        min(created_at) as started_at,
        max(created_at) as last_event_at,
        min(place) as first_place,
        max(place) filter (where is_frame) as last_frame,
        max(place) filter (where outcome in ('success', 'error', 'end')) as last_outcome,
        max(place) filter (where stage <> 'workflow') as last_stage,
        coalesce(
            max(place) filter (where outcome = 'error' and message is not null),
            max(place) filter (where outcome = 'error')
        ) as last_error,
        count(*) filter (where outcome = 'retry') as retries,
        count(*) filter (where outcome = 'error') as errors,
        {{ distinct_sorted_array('agent_name') }} as agents,
        max(known_at) as known_at
    from events
    group by run_id
    having count(*) filter (where outcome in ('start', 'success', 'error', 'end')) > 0

),

{# A run that the workflow engine opens or closes lasts until it is closed; any other
   one until nothing it started or tried again is left without an outcome. #}
judged as (

    select
        summed.*,
        violations.success_without_start,
        violations.has_open_start,
        case
            when summed.run_id_kind = 'workflow_id' then 'workflow'
            else first_event.family
        end as kind,
        case
            when frame.outcome = 'end' then 'succeeded'
            when frame.outcome = 'error' then 'failed'
            when frame.outcome = 'start' or violations.has_open_task then 'running'
            when outcome.outcome = 'error' then 'failed'
            else 'succeeded'
        end as state,
        coalesce(frame.created_at, outcome.created_at) as closed_at,
        last_stage_event.stage as last_stage_name,
        coalesce(error_event.message, error_event.event_type) as last_error_text
    from summed
    inner join violations on summed.run_id = violations.run_id
    inner join events as first_event on summed.first_place = first_event.place
    left join events as frame on summed.last_frame = frame.place
    left join events as outcome on summed.last_outcome = outcome.place
    left join events as last_stage_event on summed.last_stage = last_stage_event.place
    left join events as error_event on summed.last_error = error_event.place

),

{# How long the runs of a kind that came to an end stood still at most. #}
usual as (

    select
        judged.kind,
        {{ quantile_of('longest_gaps.longest_gap_seconds', 0.95) }} as gap_p95_seconds
    from judged
    inner join longest_gaps on judged.run_id = longest_gaps.run_id
    where judged.state <> 'running'
        and longest_gaps.longest_gap_seconds is not null
    group by judged.kind
    having count(*) >= {{ var('min_usual') }}

),

compared as (

    select
        judged.*,
        {{ hours_between('judged.last_event_at', 'build.as_of') }} * 3600 as idle_seconds,
        coalesce(
            usual.gap_p95_seconds * {{ var('overdue_factor') }},
            {{ var('stuck_minutes') }} * cast(60 as {{ type_double() }})
        ) as stuck_after_seconds
    from judged
    cross join build
    left join usual on judged.kind = usual.kind

),

final as (

    select
        compared.run_id as workflow_id,
        compared.run_id_kind as id_kind,
        compared.kind,
        case
            when
                compared.state = 'running' and compared.idle_seconds > compared.stuck_after_seconds
            then 'stuck'
            else compared.state
        end as status,
        compared.started_at,
        case when compared.state <> 'running' then compared.closed_at end as ended_at,
        compared.last_event_at,
        case
            when compared.state <> 'running'
            then {{ hours_between('compared.started_at', 'compared.closed_at') }} * 3600
        end as duration_seconds,
        case when compared.state = 'running' then compared.idle_seconds end as idle_seconds,
        compared.stuck_after_seconds,
        compared.last_stage_name as last_stage,
        coalesce(stages.stages, {{ empty_array() }}) as stages,
        compared.agents,
        compared.events,
        compared.retries,
        compared.errors,
        compared.last_error_text as last_error,
        compared.retries >= {{ var('retry_storm') }} as is_retry_storm,
        compared.success_without_start,
        compared.has_open_start and (
            compared.state <> 'running' or compared.idle_seconds > compared.stuck_after_seconds
        ) as start_without_outcome,
        compared.known_at
    from compared
    left join stages on compared.run_id = stages.run_id

)

select * from final
