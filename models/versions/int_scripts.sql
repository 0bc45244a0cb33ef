{{ versioned_rows(
    table='scripts',
    key='script_id',
    sources=['stg_operational__scripts'],
    columns=['product_id', 'script_text', 'creative_variables', 'created_at'],
    required=['product_id', 'script_text'],
    parents=[parent('product_id', 'products')],
    times=['created_at'],
) }}
