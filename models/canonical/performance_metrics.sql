with

accepted as (

    select * from {{ ref('accepted_performance_metrics') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
