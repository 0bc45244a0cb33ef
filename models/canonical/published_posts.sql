with

accepted as (

    select * from {{ ref('accepted_published_posts') }}

),

final as (

    select {{ promised_columns() }} from accepted

)

select * from final
