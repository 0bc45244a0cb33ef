with

forecasts as (

    select * from {{ ref('int_forecasts') }}

),

facts as (

    select * from {{ ref('int_post_facts') }}

),

{# Polls between the two ages can show more by now than what was to be expected at the
   earlier one: counters do not fall, so a forecast is never under what is there. #}
final as (

    select
        forecasts.post_id,
        forecasts.from_hours,
        forecasts.target_hours,
        forecasts.platform,
        forecasts.from_views,
        {%- for column in ['predicted', 'lo80', 'hi80'] %}
        case
            when forecasts.{{ column }} < facts.views then cast(facts.views as {{ type_double() }})
            else forecasts.{{ column }}
        end as {{ column }},
        {%- endfor %}
        forecasts.n_train,
        forecasts.method,
        forecasts.crosses_break,
        case
            when forecasts.lo80 < facts.views then greatest(forecasts.known_at, facts.known_at)
            else forecasts.known_at
        end as known_at
    from forecasts
    inner join facts on forecasts.post_id = facts.post_id
    where forecasts.is_pending

)

select * from final
