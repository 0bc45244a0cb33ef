with

events as (

    select
        *,
        {{ hours_between(
            'lag(created_at) over (partition by run_id order by place)', 'created_at'
        ) }} * 3600 as gap_seconds
    from {{ ref('int_workflow_events') }}
    where run_id is not null

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

faults as (

    select
        run_id,
        count(*) filter (where successes > starts or first_success < first_start) > 0
            as success_without_start,
        count(*) filter (where starts > outcomes or last_start > last_outcome) > 0
            as has_open_start,
        count(*) filter (where starts > 0 and last_opened > coalesce(last_outcome, 0)) > 0
            as has_open_task
    from tasks
    group by run_id

),

reached as (

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
        {{ ordered_array('stage', 'first_place') }} as stages
    from reached
    group by run_id

),

runs as (

    select
        run_id,
        max(run_id_kind) as run_id_kind,
        {{ first_by('family', 'place', 'true') }} as first_family,
        {{ last_by('outcome', 'place', 'is_frame') }} as frame_outcome,
        {{ last_by('created_at', 'place', 'is_frame') }} as frame_at,
        {{ last_by('outcome', 'place', "outcome in ('success', 'error', 'end')") }}
            as last_outcome,
        {{ last_by('created_at', 'place', "outcome in ('success', 'error', 'end')") }}
            as last_outcome_at,
        {{ last_by('stage', 'place', "stage <> 'workflow'") }} as last_stage,
        {{ last_by('message', 'place', "outcome = 'error' and message is not null") }}
            as last_error_message,
        {{ last_by('event_type', 'place', "outcome = 'error'") }} as last_error_type,
        min(created_at) as started_at,
        max(created_at) as last_event_at,
        max(gap_seconds) as longest_gap_seconds,
        {{ distinct_sorted_array('agent_name') }} as agents,
        count(*) as events,
        count(*) filter (where outcome = 'retry') as retries,
        count(*) filter (where outcome = 'error') as errors,
        max(known_at) as known_at
    from events
    group by run_id
    having count(*) filter (where outcome in ('start', 'success', 'error', 'end')) > 0

),

{# A run that the workflow engine opens or closes lasts until it is closed; any other
   one until nothing it started or tried again is left without an outcome. #}
final as (

    select
        runs.run_id,
        runs.run_id_kind,
        case
            when runs.run_id_kind = 'workflow_id' then 'workflow'
            else runs.first_family
        end as kind,
        case
            when runs.frame_outcome = 'end' then 'succeeded'
            when runs.frame_outcome = 'error' then 'failed'
            when runs.frame_outcome = 'start' or faults.has_open_task then 'running'
            when runs.last_outcome = 'error' then 'failed'
            else 'succeeded'
        end as state,
        runs.started_at,
        coalesce(runs.frame_at, runs.last_outcome_at) as closed_at,
        runs.last_event_at,
        runs.longest_gap_seconds,
        runs.last_stage,
        coalesce(stages.stages, {{ empty_array() }}) as stages,
        runs.agents,
        runs.events,
        runs.retries,
        runs.errors,
        coalesce(runs.last_error_message, runs.last_error_type) as last_error,
        faults.success_without_start,
        faults.has_open_start,
        runs.known_at
    from runs
    inner join faults on runs.run_id = faults.run_id
    left join stages on runs.run_id = stages.run_id

)

select * from final
