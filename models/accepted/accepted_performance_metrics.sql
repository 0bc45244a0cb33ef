with

versions as (

    select * from {{ ref('valid_performance_metrics') }}

),

final as (

    select *
    from versions
    where is_accepted

)

select * from final
