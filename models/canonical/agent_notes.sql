with

accepted as (

    select * from {{ ref('accepted_agent_notes') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
