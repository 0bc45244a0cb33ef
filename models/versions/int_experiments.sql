{{ versioned_rows(
    table='experiments',
    key='experiment_id',
    sources=['stg_operational__experiments'],
    columns=[
        'product_id', 'script_id', 'asset_id', 'hypothesis', 'variation_label', 'created_at',
    ],
    required=['product_id'],
    parents=[
        parent('product_id', 'products'),
        parent('script_id', 'scripts'),
        parent('asset_id', 'video_assets'),
    ],
    times=['created_at'],
) }}
