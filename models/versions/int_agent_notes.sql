{{ versioned_rows(
    table='agent_notes',
    key='note_id',
    sources=['stg_operational__agent_notes'],
    columns=['agent_name', 'topic', 'content', 'importance', 'embedding', 'created_at'],
    required=['agent_name', 'content'],
    times=['created_at'],
) }}
