{{ config(materialized='table') }}

with

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

products as (

    select product_id from {{ ref('accepted_products') }}

),

{# Today's definition of a view on each platform. #}
platforms as (

    select
        platform,
        max(definition_era) as definition_era
    from outcomes
    group by platform

),

posted as (

    select
        outcomes.product_id,
        outcomes.platform,
        count(*) as posts,
        {{ median_of('outcomes.views_72h') }} as views_72h,
        sum(
            case
                when outcomes.engagements is not null and not outcomes.crosses_break then
                    outcomes.views
            end
        ) as exposure,
        sum(
            case
                when outcomes.views is not null and not outcomes.crosses_break then
                    outcomes.engagements
            end
        ) as engagements
    from outcomes
    inner join platforms
        on outcomes.platform = platforms.platform
        and outcomes.definition_era = platforms.definition_era
    where outcomes.product_id is not null
    group by outcomes.product_id, outcomes.platform

),

not_posted as (

    select
        products.product_id,
        platforms.platform
    from products
    cross join platforms
    where products.product_id not in (select posted.product_id from posted)

),

final as (

    select
        product_id,
        platform,
        posts,
        views_72h,
        {{ rate_per_view('engagements', 'exposure') }} as engagement_rate
    from posted
    union all
    select
        product_id,
        platform,
        0,
        null,
        null
    from not_posted

)

select * from final
