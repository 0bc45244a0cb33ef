{# Events of agents and workflows of the sources given, named and cast. #}
{% macro staged_system_events(sources) %}
with

landed as (
    {{ landed(sources, 'system_events', [
        'event_id', 'agent_name', 'event_type', 'payload', 'created_at', 'correlation_id',
        'workflow_id', 'event_category', 'severity', 'message', 'metadata'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('event_id', 'uuid') }} as event_id,

        -- text
        {# An event without an agent is the system's. #}
        coalesce(agent_name, 'system') as agent_name,
        event_type,
        correlation_id,
        workflow_id,

        -- documents
        {{ json_fold(as_kind('payload', 'json'), {
            'correlation_id': 'correlation_id',
            'workflow_id': 'workflow_id',
            'event_category': 'event_category',
            'severity': 'severity',
            'message': 'message',
            'metadata': as_kind('metadata', 'json'),
        }, documents=['metadata']) }} as payload,

        -- timestamps
        created_at
    from landed

)

select * from renamed
{% endmacro %}
