{{ versioned_rows(
    table='system_events',
    key='event_id',
    sources=['stg_operational__system_events'],
    columns=['agent_name', 'event_type', 'payload', 'correlation_id', 'workflow_id', 'created_at'],
    required=['agent_name', 'event_type'],
    times=['created_at'],
    referenced=false,
) }}
