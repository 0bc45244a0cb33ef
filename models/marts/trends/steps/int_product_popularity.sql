{{ config(materialized='table') }}

with

history as (

    select * from {{ ref('int_product_snapshots') }}

),

{# Statistics are of the snapshots that say how popular the product was, and compare
   them by the largest so far: scores may be on any scale. #}
scored as (

    select
        product_id,
        snapshot_time,
        popularity,
        popularity / nullif(max(abs(popularity)) over so_far, 0) as relative,
        max(abs(popularity)) over so_far as scale,
        row_number() over by_time as number,
        lag(popularity) over by_time as previous_popularity,
        {{ hours_between('lag(snapshot_time) over by_time', 'snapshot_time') }} / 24 as days,
        {{ is_short_gap('lag(snapshot_time) over by_time', 'snapshot_time') }} as is_short
    from history
    where popularity is not null
    window
        by_time as (partition by product_id order by snapshot_time),
        so_far as (partition by product_id order by snapshot_time rows unbounded preceding)

),

log_velocities as (

    select
        scored.*,
        case
            when not is_short and popularity > -1 and previous_popularity > -1
            then ln((1 + popularity) / (1 + previous_popularity)) / days
        end as log_velocity
    from scored

),

final as (

    select
        product_id,
        snapshot_time,
        popularity,
        relative,
        scale,
        number,
        log_velocity
        - lag(log_velocity) over (partition by product_id order by snapshot_time) as acceleration
    from log_velocities

)

select * from final
