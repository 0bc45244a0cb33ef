with

versions as (

    select * from {{ ref('int_system_events') }}

),

final as (

    select
        event_id,
        agent_name,
        event_type,
        coalesce(payload, {{ empty_object() }}) as payload,
        coalesce(created_at, _first_known_at) as created_at,
        correlation_id,
        workflow_id,
        {{ accepted_bookkeeping(referenced=false) }}
    from versions
    where _verdict = 'accepted'

)

select * from final
