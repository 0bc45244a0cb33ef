with

accepted as (

    select * from {{ ref('accepted_scripts') }}

),

final as (

    select
        script_id,
        product_id,
        script_text,
        creative_variables,
        created_at
    from accepted

)

select * from final
