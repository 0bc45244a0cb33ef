with

accepted as (

    select * from {{ ref('accepted_trend_snapshots') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
