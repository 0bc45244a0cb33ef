{{ config(schema='reference') }}

with

active as (

    select
        min(day) as first_day,
        max(day) as last_day
    from {{ ref('daily_metrics') }}

),

{# Without posts there is no first day, and no row. -#}
final as (

    select
        cast(
            first_day + cast({{ whole_numbers(0, 'last_day - first_day') }} as integer) as date
        ) as day
    from active

)

select * from final
