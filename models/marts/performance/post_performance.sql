{{ config(materialized='view') }}

with

facts as (

    select * from {{ ref('int_post_facts') }}

),

standing as (

    select * from {{ ref('int_post_standing') }}

),

{# The forecast from the latest age the post has reached. #}
forecasts as (

    select
        post_id,
        from_hours,
        predicted,
        lo80,
        hi80,
        row_number() over (partition by post_id order by from_hours desc) as choice
    from {{ ref('post_forecasts') }}
    where target_hours = 168
        and predicted is not null

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
        standing.verdict,

        -- forecast, while the week is not over
        forecasts.predicted as views_168h_forecast,
        forecasts.lo80 as views_168h_forecast_lo80,
        forecasts.hi80 as views_168h_forecast_hi80,
        forecasts.from_hours as forecast_from_hours,

        -- whose post it is
        {{ is_adopted('facts.variation_label') }} as is_adopted
    from facts
    cross join build
    left join standing on facts.post_id = standing.post_id
    left join forecasts
        on facts.post_id = forecasts.post_id
        and forecasts.choice = 1

)

select * from final
