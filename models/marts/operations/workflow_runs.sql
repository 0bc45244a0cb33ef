with

build as (

    select {{ as_of() }} as as_of

),

runs as (

    select * from {{ ref('int_run_states') }}

),

{# How long the runs of a kind that came to an end stood still at most. #}
usual as (

    select
        kind,
        {{ quantile_of('longest_gap_seconds', 0.95) }} as gap_p95_seconds
    from runs
    where state <> 'running'
        and longest_gap_seconds is not null
    group by kind
    having count(*) >= {{ var('min_usual') }}

),

compared as (

    select
        runs.*,
        runs.state = 'running' as is_open,
        {{ hours_between('runs.last_event_at', 'build.as_of') }} * 3600 as idle_seconds,
        coalesce(
            usual.gap_p95_seconds * {{ var('overdue_factor') }},
            {{ var('stuck_minutes') }} * cast(60 as {{ type_double() }})
        ) as stuck_after_seconds
    from runs
    cross join build
    left join usual on runs.kind = usual.kind

),

judged as (

    select
        compared.*,
        is_open and idle_seconds > stuck_after_seconds as is_stuck
    from compared

),

final as (

    select
        run_id as workflow_id,
        run_id_kind as id_kind,
        kind,
        case when is_stuck then 'stuck' else state end as status,
        started_at,
        case when not is_open then closed_at end as ended_at,
        last_event_at,
        case
            when not is_open then {{ hours_between('started_at', 'closed_at') }} * 3600
        end as duration_seconds,
        case when is_open then idle_seconds end as idle_seconds,
        stuck_after_seconds,
        last_stage,
        stages,
        agents,
        events,
        retries,
        errors,
        last_error,
        retries >= {{ var('retry_storm') }} as is_retry_storm,
        success_without_start,
        has_open_start and (not is_open or is_stuck) as start_without_outcome,
        known_at
    from judged

)

select * from final
