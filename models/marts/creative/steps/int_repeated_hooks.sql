{{ config(materialized='table') }}

with

hooks as (

    select * from {{ ref('int_script_hooks') }}

),

recommended as (

    select
        patterns.product_id,
        {{ ascii_lower('patterns.hook') }} as said
    from {{ ref('int_brief_patterns') }} as patterns
    where patterns.works_place <= 3

),

{# What a brief recommends it does not call worn. #}
final as (

    select
        hooks.product_id,
        hooks.said_of_anything,
        min(hooks.hook) as hook,
        count(*) as scripts,
        row_number() over (
            partition by hooks.product_id order by count(*) desc, hooks.said_of_anything
        ) as place
    from hooks
    left join recommended
        on hooks.product_id = recommended.product_id
        and hooks.said_of_anything = recommended.said
    where recommended.product_id is null
    group by hooks.product_id, hooks.said_of_anything
    having count(*) >= 3

)

select * from final
