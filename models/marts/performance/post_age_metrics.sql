{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'horizon_hours'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['post_metric_history']) }}",
) }}

{%- set metrics = ['views', 'likes', 'comments', 'shares'] %}

with

changed as (

    {{ changed_posts() }}

),

posts as (

    select post_id, published_at, _state_from
    from {{ ref('int_published_posts') }}
    where _verdict = 'accepted'
        and post_id in (select post_id from changed)

),

horizons as (

    select
        cast(horizon_hours as bigint) as horizon_hours,
        cast(horizon_hours as bigint) * 3600000000 as horizon_us
    from {{ ref('age_horizons') }}

),

polls as (

    select
        history.post_id,
        history.value_known_at as known_at,
        {%- for metric in metrics %}
        history.{{ metric }} is not null as has_{{ metric }},
        history.{{ metric }}_mono as {{ metric }},
        {%- endfor %}
        {{ age_us('posts.published_at', 'history.collected_at') }} as age_us
    from {{ ref('post_metric_history') }} as history
    inner join posts on history.post_id = posts.post_id

),

{# The maxima never fall, so the value at the last poll before a horizon is the largest
   before it, and the value at the first poll after it the smallest after it. #}
brackets as (

    select
        posts.post_id,
        posts._state_from,
        horizons.horizon_hours,
        horizons.horizon_us,
        {%- for metric in metrics %}
        coalesce(max(polls.age_us) filter (where polls.age_us <= horizons.horizon_us and has_{{ metric }}), 0) as {{ metric }}_age0,
        coalesce(max(polls.{{ metric }}) filter (where polls.age_us <= horizons.horizon_us and has_{{ metric }}), 0) as {{ metric }}_0,
        min(polls.age_us) filter (where polls.age_us >= horizons.horizon_us and has_{{ metric }}) as {{ metric }}_age1,
        min(polls.{{ metric }}) filter (where polls.age_us >= horizons.horizon_us and has_{{ metric }}) as {{ metric }}_1
        {{- ',' if not loop.last }}
        {%- endfor %}
    from posts
    cross join horizons
    left join polls on posts.post_id = polls.post_id
    group by posts.post_id, posts._state_from, horizons.horizon_hours, horizons.horizon_us

),

{% for metric in metrics -%}
{{ metric }}_at_age as (

    select
        post_id,
        horizon_hours,
        {{ bracket_status(metric) }} as status,
        case
            when {{ bracket_status(metric) }} in ('pending', 'gap') then null
            else {{ interpolate('horizon_us', metric ~ '_age0', metric ~ '_0', metric ~ '_age1', metric ~ '_1') }}
        end as {{ metric }}
    from brackets

),

{% endfor -%}
{# Which polls a row rests on: both ends of every metric's bracket. #}
rests_on as (

    {% for metric in metrics -%}
    select post_id, horizon_hours, {{ metric }}_age0 as age_us from brackets where {{ metric }}_age1 is not null
    union
    select post_id, horizon_hours, {{ metric }}_age1 from brackets where {{ metric }}_age1 is not null
    {{ 'union' if not loop.last }}
    {% endfor %}
),

known as (

    select
        rests_on.post_id,
        rests_on.horizon_hours,
        max(polls.known_at) as known_at
    from rests_on
    inner join polls
        on rests_on.post_id = polls.post_id
        and rests_on.age_us = polls.age_us
    group by rests_on.post_id, rests_on.horizon_hours

),

joined as (

    select
        brackets.post_id,
        brackets.horizon_hours,
        views_at_age.status,
        {%- for metric in metrics %}
        {{ metric }}_at_age.{{ metric }},
        {%- endfor %}
        {{ sum_known(['likes_at_age.likes', 'comments_at_age.comments', 'shares_at_age.shares']) }} as engagements,
        greatest(brackets._state_from, known.known_at) as known_at
    from brackets
    {%- for metric in metrics %}
    inner join {{ metric }}_at_age
        on brackets.post_id = {{ metric }}_at_age.post_id
        and brackets.horizon_hours = {{ metric }}_at_age.horizon_hours
    {%- endfor %}
    left join known
        on brackets.post_id = known.post_id
        and brackets.horizon_hours = known.horizon_hours

),

final as (

    select
        post_id,
        horizon_hours,
        status,
        views,
        likes,
        comments,
        shares,
        {{ rate_per_view('engagements', 'views') }} as engagement_rate,
        {{ rate_per_view('likes', 'views') }} as like_rate,
        {{ rate_per_view('comments', 'views') }} as comment_rate,
        {{ rate_per_view('shares', 'views') }} as share_rate,
        known_at
    from joined

)

select * from final
