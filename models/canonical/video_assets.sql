with

accepted as (

    select * from {{ ref('accepted_video_assets') }}

),

final as (

    select
        asset_id,
        script_id,
        product_id,
        storage_url,
        format,
        metadata,
        created_at
    from accepted

)

select * from final
