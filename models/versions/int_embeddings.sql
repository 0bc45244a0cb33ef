{{ versioned_rows(
    table='embeddings',
    key='embedding_id',
    sources=['stg_operational__embeddings'],
    columns=['reference_type', 'given_reference_id', 'embedding', 'metadata', 'created_at'],
    required=['reference_type', 'given_reference_id', 'embedding'],
    parents=[parent_reference()],
    times=['created_at'],
    referenced=false,
) }}
