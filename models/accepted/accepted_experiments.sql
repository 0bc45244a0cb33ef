with

versions as (

    select * from {{ ref('valid_experiments') }}

),

final as (

    select *
    from versions
    where is_accepted

)

select * from final
