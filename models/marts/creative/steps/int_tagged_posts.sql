{{ config(materialized='view') }}

with

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

scripts as (

    select * from {{ ref('int_script_tags') }}

),

published as (

    select * from {{ ref('accepted_published_posts') }}

),

final as (

    select
        outcomes.post_id,
        outcomes.platform,
        outcomes.product_id,
        outcomes.pattern_id,
        {#- A post without a script shares none. #}
        coalesce(outcomes.script_id, outcomes.post_id) as cluster,
        scripts.tags as choices,
        published.hashtags,
        outcomes.log_lift_72h as lift,
        outcomes.known_at,
        greatest(outcomes.known_at, scripts.known_at) as choices_known_at
    from outcomes
    left join scripts on outcomes.script_id = scripts.script_id
    left join published on outcomes.post_id = published.post_id

)

select * from final
