{{ config(materialized='table') }}

with

outcomes as (

    select
        product_id,
        platform,
        pattern_id,
        {{ significant('views_72h') }} as views_72h,
        {{ significant('platform_median_72h') }} as platform_median_72h
    from {{ ref('int_post_outcomes') }}
    where product_id is not null
        and pattern_id is not null
        and views_72h is not null
        and platform_median_72h is not null

),

final as (

    select
        product_id,
        platform,
        pattern_id,
        count(*) as trials,
        count(case when views_72h > platform_median_72h then 1 end) as successes
    from outcomes
    group by product_id, platform, pattern_id

)

select * from final
