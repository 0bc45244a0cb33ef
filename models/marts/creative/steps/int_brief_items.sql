{{ config(materialized='table') }}

with

final as (

    select * from {{ ref('int_brief_usual') }}
    union all
    select * from {{ ref('int_brief_works') }}
    union all
    select
        product_id,
        list,
        place,
        item,
        words
    from {{ ref('int_brief_effects') }}
    union all
    select * from {{ ref('int_brief_posts') }}
    union all
    select * from {{ ref('int_brief_times') }}
    union all
    select * from {{ ref('int_brief_rising') }}
    union all
    select * from {{ ref('int_brief_avoid') }}
    union all
    select * from {{ ref('int_brief_try') }}

)

select * from final
