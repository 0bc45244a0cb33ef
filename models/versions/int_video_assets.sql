{{ versioned_rows(
    table='video_assets',
    key='asset_id',
    sources=['stg_operational__video_assets'],
    columns=['given_product_id', 'script_id', 'storage_url', 'format', 'metadata', 'created_at'],
    required=['product_id', 'storage_url'],
    parents=[parent('script_id', 'scripts'), parent_product_of_asset()],
    times=['created_at'],
) }}
