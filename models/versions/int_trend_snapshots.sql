{{ versioned_rows(
    table='trend_snapshots',
    key='snapshot_id',
    sources=['stg_operational__trend_snapshots'],
    columns=[
        'product_id', 'popularity_score', 'velocity_score', 'competition_score',
        'tiktok_trend_tags', 'raw_source_data', 'snapshot_time',
    ],
    required=['product_id'],
    parents=[parent('product_id', 'products')],
    times=['snapshot_time'],
) }}
