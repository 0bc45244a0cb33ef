{{ config(materialized='table') }}

{%- set snapshots = var('trend_snapshots') %}

with

scored as (

    select * from {{ ref('int_product_popularity') }}

),

steps as (

    select numbers.step
    from (values ({{ range(1, snapshots) | join('), (') }})) as numbers (step)

),

{# Every snapshot with those before it, at most `trend_snapshots` in all. #}
pairs as (

    select
        later.product_id,
        later.number,
        later.popularity,
        steps.step,
        earlier.popularity as earlier_popularity,
        {{ hours_between('earlier.snapshot_time', 'later.snapshot_time') }} / 24 as days
    from scored as later
    cross join steps
    inner join scored as earlier
        on later.product_id = earlier.product_id
        and later.number - steps.step = earlier.number

),

{# A trend is tested on all pairs among a snapshot and those before it: each pair counts
   for the windows it lies in. #}
window_pairs as (

    select
        pairs.product_id,
        pairs.number + shifts.step - 1 as number,
        case
            when pairs.popularity > pairs.earlier_popularity then 1
            when pairs.popularity < pairs.earlier_popularity then -1
            else 0
        end as sign,
        (pairs.popularity - pairs.earlier_popularity) / pairs.days as slope
    from pairs
    inner join steps as shifts on pairs.step + shifts.step <= {{ snapshots }}

),

trends as (

    select
        product_id,
        number,
        cast(sum(sign) as bigint) as signs,
        {{ median_of('slope') }} as sen_slope
    from window_pairs
    group by product_id, number

),

{# Equal values within each window. #}
window_members as (

    select
        product_id,
        number,
        popularity
    from scored
    union all
    select
        product_id,
        number,
        earlier_popularity
    from pairs

),

equal_values as (

    select
        product_id,
        number,
        count(*) as values_equal
    from window_members
    group by product_id, number, popularity

),

ties as (

    select
        product_id,
        number,
        cast(sum(values_equal) as bigint) as n,
        cast(sum(values_equal * (values_equal - 1) * (2 * values_equal + 5)) as bigint) as ties
    from equal_values
    group by product_id, number

),

final as (

    select
        scored.product_id,
        scored.snapshot_time,
        {{ mann_kendall_z('trends.signs', 'ties.n', 'ties.ties') }} as mk_z,
        case when ties.n >= 8 then trends.sen_slope end as sen_slope
    from scored
    inner join ties
        on scored.product_id = ties.product_id
        and scored.number = ties.number
    left join trends
        on scored.product_id = trends.product_id
        and scored.number = trends.number

)

select * from final
