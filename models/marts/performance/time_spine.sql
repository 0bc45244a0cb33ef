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

    select {{ each_day('first_day', 'last_day') }} as day
    from active

)

select * from final
