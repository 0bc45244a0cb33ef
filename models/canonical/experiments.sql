with

accepted as (

    select * from {{ ref('accepted_experiments') }}

),

final as (

    select
        experiment_id,
        product_id,
        script_id,
        asset_id,
        created_at
    from accepted

)

select * from final
