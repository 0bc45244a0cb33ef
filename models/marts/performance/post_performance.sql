{{ config(materialized='view') }}

with

facts as (

    select * from {{ ref('int_post_facts') }}

),

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

),

final as (

    select
        facts.*,
        facts.last_collected_at is null
            or facts.last_collected_at < build.as_of - interval '{{ var("stale_after_hours") }}' hour
            as is_stale
    from facts
    cross join build

)

select * from final
