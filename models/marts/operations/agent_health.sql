with

build as (

    select {{ as_of() }} as as_of

),

days as (

    select * from {{ ref('int_agent_days') }}

),

compared as (

    select
        days.*,
        {{ hours_between('days.last_seen_at', 'build.as_of') }} as hours_since
    from days
    cross join build

),

final as (

    select
        agent_name,
        day,
        events,
        starts,
        successes,
        errors,
        error_rate,
        p50_duration_seconds,
        p95_duration_seconds,
        retries,
        most_retries_of_a_run,
        is_retry_storm,
        last_seen_at,
        is_latest,
        usual_gap_hours,
        case when is_latest then hours_since end as silent_hours,
        case
            when not is_latest then false
            when usual_gap_hours is not null
            then hours_since > greatest(
                    usual_gap_hours * {{ var('overdue_factor') }},
                    {{ var('stuck_minutes') }} / cast(60 as {{ type_double() }})
                )
        end as is_silent,
        known_at
    from compared

)

select * from final
