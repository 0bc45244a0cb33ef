{{ config(materialized='view') }}

{# Scripts share lists of choices: each list is taken apart once. #}
with

lists as (

    select distinct tags as choices
    from {{ ref('int_script_tags') }}

),

elements as (

    select
        choices,
        {{ array_elements('choices') }} as tag
    from lists

),

final as (

    select
        choices,
        split_part(tag, '=', 1) as choice,
        tag
    from elements

)

select * from final
