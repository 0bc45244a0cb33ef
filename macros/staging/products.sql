{# Products of the sources given, named and cast. #}
{% macro staged_products(sources) %}
with

landed as (
    {{ landed(sources, 'products', [
        'product_id', 'name', 'description', 'image_url', 'affiliate_link', 'source_platform',
        'category', 'meta', 'created_at', 'updated_at', 'brand', 'price_usd', 'currency',
        'status', 'primary_benefit', 'target_audience', 'content_brief', 'key_features',
        'objections', 'demo_ideas'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('product_id', 'uuid') }} as product_id,

        -- text
        name,
        description,
        image_url,
        affiliate_link,
        lower({{ trimmed('source_platform') }}) as source_platform,
        category,

        -- documents
        {{ json_fold(as_kind('meta', 'json'), {
            'brand': 'brand',
            'price_usd': json_number('price_usd'),
            'currency': 'currency',
            'status': 'status',
            'primary_benefit': 'primary_benefit',
            'target_audience': 'target_audience',
            'content_brief': as_kind('content_brief', 'json'),
            'key_features': as_kind('key_features', 'json'),
            'objections': as_kind('objections', 'json'),
            'demo_ideas': as_kind('demo_ideas', 'json'),
        }, documents=['price_usd', 'content_brief', 'key_features', 'objections', 'demo_ideas']) }} as meta,

        -- timestamps
        created_at,
        updated_at
    from landed

)

select * from renamed
{% endmacro %}
