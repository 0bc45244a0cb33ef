with

accepted as (

    select * from {{ ref('accepted_products') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
