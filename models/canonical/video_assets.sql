with

accepted as (

    select * from {{ ref('accepted_video_assets') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
