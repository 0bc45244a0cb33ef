with

versions as (

    select * from {{ ref('valid_published_posts') }}

),

final as (

    select *
    from versions
    where is_accepted

)

select * from final
