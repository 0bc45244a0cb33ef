with

versions as (

    select * from {{ ref('valid_scripts') }}

),

final as (

    select *
    from versions
    where is_accepted

)

select * from final
