{{ config(materialized='table') }}

{%- set snapshots = var('trend_snapshots') %}

with

scored as (

    select * from {{ ref('int_product_popularity') }}

),

{# Every snapshot with those before it, at most `trend_snapshots` in all. #}
{{ pairs_with_earlier('scored', snapshots) }}

{# The windows a pair so many snapshots apart lies in, by how much later they end. #}
windows as {{ computed_once() }} (

    select
        steps.step,
        shifts.step - 1 as later
    from steps
    inner join steps as shifts on steps.step + shifts.step <= {{ snapshots }}

),

{# A trend is tested on all pairs among a snapshot and those before it: each pair counts
   for the windows it lies in. #}
window_pairs as (

    select
        pairs.product_id,
        pairs.number + windows.later as number,
        case
            when pairs.popularity > pairs.earlier_popularity then 1
            when pairs.popularity < pairs.earlier_popularity then -1
            else 0
        end as sign,
        (pairs.popularity - pairs.earlier_popularity) / pairs.days as slope
    from pairs
    inner join windows on pairs.step = windows.step

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
