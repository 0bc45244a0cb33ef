{{ versioned_rows(
    table='products',
    key='product_id',
    sources=['stg_operational__products'],
    columns=[
        'name', 'description', 'image_url', 'affiliate_link', 'source_platform', 'category',
        'meta', 'created_at', 'updated_at',
    ],
    required=['name', 'source_platform'],
    times=['created_at', 'updated_at'],
    newest_by='updated_at',
) }}
