with

versions as (

    select * from {{ ref('int_products') }}

),

final as (

    select
        product_id,
        name,
        description,
        image_url,
        affiliate_link,
        source_platform,
        category,
        meta,
        coalesce(created_at, _first_known_at) as created_at,
        coalesce(updated_at, created_at, _first_known_at) as updated_at,
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict = 'accepted'

)

select * from final
