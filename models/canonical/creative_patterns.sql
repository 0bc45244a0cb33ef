with

accepted as (

    select * from {{ ref('accepted_creative_patterns') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
