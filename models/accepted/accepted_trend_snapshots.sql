with

versions as (

    select * from {{ ref('valid_trend_snapshots') }}

),

final as (

    select *
    from versions
    where is_accepted

)

select * from final
