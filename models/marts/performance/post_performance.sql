{{ config(materialized='view') }}

with

facts as (

    select * from {{ ref('int_post_facts') }}

),

standing as (

    select * from {{ ref('int_post_standing') }}

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
            as is_stale,

        -- evidence, among the posts of the build
        standing.engagement_rate_eb,
        standing.engagement_rate_eb_lo,
        standing.engagement_rate_eb_hi,
        standing.views_72h_percentile,
        standing.engagement_percentile,
        standing.percentile_posts,
        standing.baseline_ratio,
        standing.baseline_posts,
        standing.baseline_scope,
        standing.verdict
    from facts
    cross join build
    left join standing on facts.post_id = standing.post_id

)

select * from final
