{{ config(materialized='view') }}

with

facts as (

    select * from {{ ref('int_post_facts') }}

),

standing as (

    select * from {{ ref('int_post_standing') }}

),

{# All forecasts of a post start from its latest poll. #}
forecasts as (

    select
        post_id,
        max(from_hours) as from_hours,
        max(latest_age_hours) as latest_age_hours,
        {%- for hours in forecast_targets() %}
        {%- for column in ['predicted', 'lo80', 'hi80'] %}
        max({{ column }}) filter (where target_hours = {{ hours }}) as {{ column }}_{{ hours }}h
        {{- ',' if not loop.last }}
        {%- endfor %}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('post_forecasts') }}
    where predicted is not null
    group by post_id

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
        forecasts.predicted_168h as views_168h_forecast,
        forecasts.lo80_168h as views_168h_forecast_lo80,
        forecasts.hi80_168h as views_168h_forecast_hi80,
        forecasts.from_hours as forecast_from_hours,

        -- whose post it is
        {{ is_adopted('facts.variation_label') }} as is_adopted,

        -- forecasts of the days before
        {%- for hours in forecast_targets()[:-1] %}
        forecasts.predicted_{{ hours }}h as views_{{ hours }}h_forecast,
        forecasts.lo80_{{ hours }}h as views_{{ hours }}h_forecast_lo80,
        forecasts.hi80_{{ hours }}h as views_{{ hours }}h_forecast_hi80,
        {%- endfor %}
        forecasts.latest_age_hours as forecast_age_hours
    from facts
    cross join build
    left join standing on facts.post_id = standing.post_id
    left join forecasts on facts.post_id = forecasts.post_id

)

select * from final
