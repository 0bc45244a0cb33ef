{{ versioned_rows(
    table='creative_patterns',
    key='pattern_id',
    sources=['stg_operational__creative_patterns'],
    columns=[
        'product_id', 'hook_text', 'structure', 'style_tags', 'emotion_tags', 'notes',
        'observed_performance', 'created_at',
    ],
    parents=[parent('product_id', 'products')],
    times=['created_at'],
) }}
