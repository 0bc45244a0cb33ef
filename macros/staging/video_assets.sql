{# Rendered videos of the sources given, named and cast. #}
{% macro staged_video_assets(sources) %}
with

landed as (
    {{ landed(sources, 'video_assets', [
        'asset_id', 'script_id', 'product_id', 'storage_url', 'format', 'metadata',
        'created_at', 'storage_path', 'thumbnail_path', 'duration_seconds', 'tone', 'layout',
        'style_tags'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('asset_id', 'uuid') }} as asset_id,
        {{ as_kind('script_id', 'uuid') }} as script_id,
        {{ as_kind('product_id', 'uuid') }} as given_product_id,

        -- text
        coalesce(storage_url, storage_path) as storage_url,
        format,

        -- documents
        {{ json_fold(as_kind('metadata', 'json'), {
            'thumbnail_path': 'thumbnail_path',
            'duration_seconds': json_number('duration_seconds'),
            'tone': 'tone',
            'layout': 'layout',
            'style_tags': 'style_tags',
        }, documents=['duration_seconds']) }} as metadata,

        -- timestamps
        created_at
    from landed

)

select * from renamed
{% endmacro %}
