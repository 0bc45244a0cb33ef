with

accepted as (

    select * from {{ ref('accepted_system_events') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
