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
        _effective_at as known_at,
        _known_at,
        _valid_from,
        _source,
        _load_id,
        _position,
        _build
    from versions
    where _verdict = 'accepted'

)

select * from final
