{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'day'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['post_metric_history']) }}",
) }}

{%- set metrics = ['views', 'likes', 'comments', 'shares'] %}
{%- set day_us = 86400000000 %}
{%- set placed_us = var('placed_days') * day_us %}

with

{{ with_changed_posts() -}}
posts as (

    select
        post_id,
        published_at
    from {{ ref('accepted_published_posts') }}

),

history as (

    select
        post_id,
        collected_at,
        known_at,
        {%- for metric in metrics %}
        {{ metric }},
        {{ metric }}_mono{% if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('post_metric_history') }}
    {{ where_changed() }}

),

{# A poll a few minutes early counts as one at publication. -#}
polls as (

    select
        history.*,
        {{ epoch_us('posts.published_at') }} as published_us,
        {{ epoch_us('posts.published_at') }}
        + {{ age_us('posts.published_at', 'history.collected_at') }} as at_us
    from history
    inner join posts on history.post_id = posts.post_id

),

{# Running maxima: the first of a day is the smallest, the last one the largest. Between them the
   growth of a day is known; only that around midnight is not. -#}
counted as (

    select
        post_id,
        published_us,
        {{ quotient('at_us', day_us) }} as day_number,
        max(known_at) as known_at,
        {%- for metric in metrics %}
        min(at_us) filter (where {{ metric }} is not null) as {{ metric }}_us,
        max(at_us) filter (where {{ metric }} is not null) as {{ metric }}_until_us,
        min({{ metric }}_mono) filter (where {{ metric }} is not null) as {{ metric }},
        max({{ metric }}_mono) filter (where {{ metric }} is not null) as {{ metric }}_until
        {{- ',' if not loop.last }}
        {%- endfor %}
    from polls
    group by post_id, published_us, {{ quotient('at_us', day_us) }}

),

{# What every metric was at the poll that showed it last before the day: at publication 0. -#}
brackets as (

    select
        counted.*,
        {%- for metric in metrics %}
        coalesce(max({{ metric }}_until_us) over earlier, published_us) as {{ metric }}_us_before,
        coalesce(max({{ metric }}_until) over earlier, 0) as {{ metric }}_before,
        {%- endfor %}
        lead(day_number) over by_day is null as is_last
    from counted
    window
        by_day as (partition by post_id order by day_number),
        earlier as (
            partition by post_id
            order by day_number
            rows between unbounded preceding and 1 preceding
        )

),

{# A post that is first polled years after it went out has no row for each day since: between polls
   so far apart growth is placed on no day. -#}
spans as (

    select
        brackets.*,
        {%- for metric in metrics %}
        {{ metric }}_us - {{ metric }}_us_before <= {{ placed_us }} as {{ metric }}_placed,
        {%- endfor %}
        least(
            {%- for metric in metrics %}
            case
                when {{ metric }}_us - {{ metric }}_us_before <= {{ placed_us }}
                then {{ quotient(metric ~ '_us_before', day_us) }}
            end,
            {%- endfor %}
            day_number
        ) as first_day_number
    from brackets

),

{# A row for each day from the poll before to that of the row. -#}
parts as (

    select
        spans.*,
        {{ whole_numbers('first_day_number', 'day_number') }} as part_day
    from spans

),

{# Ages at the polls around midnight and at both ends of what lies between them on the day. -#}
aged as (

    select
        parts.*,
        {%- for metric in metrics %}
        {{ metric }}_us_before - published_us as {{ metric }}_age0,
        {{ metric }}_us - published_us as {{ metric }}_age1,
        greatest({{ metric }}_us_before, part_day * {{ day_us }}) - published_us as {{ metric }}_t0,
        least({{ metric }}_us, (part_day + 1) * {{ day_us }}) - published_us as {{ metric }}_t1
        {{- ',' if not loop.last }}
        {%- endfor %}
    from parts

),

pieces as (

    select
        post_id,
        part_day,
        known_at,
        is_last and part_day = day_number as is_last,
        views_us - views_us_before > {{ var('spread_hours') }} * cast(3600000000 as bigint)
            as is_spread,
        {%- for metric in metrics %}
        case
            when {{ metric }}_placed and {{ metric }}_t0 <= {{ metric }}_t1
            then {{ growth_between(
                    metric ~ '_t0', metric ~ '_t1',
                    metric ~ '_age0', metric ~ '_before', metric ~ '_age1', metric,
                ) }}
            when not {{ metric }}_placed and part_day = day_number then 0
        end as {{ metric }}_between,
        case
            when not {{ metric }}_placed and part_day = day_number
            then {{ metric }} - {{ metric }}_before
        end as {{ metric }}_unplaced,
        case when part_day = day_number then {{ metric }}_until - {{ metric }} end
            as {{ metric }}_seen{% if not loop.last %},{% endif %}
        {%- endfor %}
    from aged

),

{# No day has more than two parts of a metric, which add up to the same in any order. -#}
summed as (

    select
        post_id,
        part_day,
        {%- for metric in metrics %}
        sum({{ sum_known([metric ~ '_between', metric ~ '_seen']) }}) as {{ metric }}_gained,
        sum({{ metric }}_unplaced) as {{ metric }}_unplaced,
        {%- endfor %}
        sum(case when is_spread then views_between when views_between is not null then 0 end)
            as views_gained_spread,
        bool_or(is_last) as is_last,
        max(known_at) as known_at
    from pieces
    group by post_id, part_day

),

final as (

    select
        post_id,
        date '1970-01-01' + cast(part_day as integer) as day,
        views_gained,
        views_gained_spread,
        {{ sum_known(['likes_gained', 'comments_gained', 'shares_gained']) }} as engagements_gained,
        cast(views_unplaced as {{ type_double() }}) as views_unplaced,
        cast(
            {{ sum_known(['likes_unplaced', 'comments_unplaced', 'shares_unplaced']) }}
            as {{ type_double() }}
        ) as engagements_unplaced,
        is_last,
        known_at
    from summed

)

select * from final
