with

accepted as (

    select * from {{ ref('accepted_raw_videos') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
