with

accepted as (

    select * from {{ ref('accepted_products') }}

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
        created_at,
        updated_at
    from accepted

)

select * from final
