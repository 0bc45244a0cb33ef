{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key='post_id',
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{#- Each as of the newest poll that was told it: no source tells all of them. #}
{%- set measures = [
    'average_watch_seconds', 'completion_rate', 'three_second_rate', 'impressions', 'reach',
    'click_through_rate', 'saves', 'followers_gained', 'is_ai_generated',
] %}

with

{{ with_changed_posts() -}}
posts as (

    select
        post_id,
        platform,
        known_at
    from {{ ref('accepted_published_posts') }}
    {{ where_changed() }}

),

polls as (

    select
        post_id,
        collected_at,
        views,
        watch_time_ms,
        completion_rate,
        told,
        known_at,
        _known_at,
        _source
    from {{ ref('accepted_performance_metrics') }}
    where (told is not null or watch_time_ms is not null or completion_rate is not null)
        {{ and_changed() }}

),

{# A value that cannot be is unknown. Total watch time tells the mean of a view as well. -#}
typed as (

    select
        post_id,
        {{ epoch_us('collected_at') }} as at_us,
        collected_at,
        coalesce(
            case
                when {{ at_least(told_value('average_watch_seconds'), 0) }}
                then {{ told_value('average_watch_seconds') }}
            end,
            {{ rate_per_view('watch_time_ms / 1000', 'views') }}
        ) as average_watch_seconds,
        {{ share_or_null('completion_rate') }} as completion_rate,
        {{ share_or_null(told_value('three_second_rate')) }} as three_second_rate,
        {%- for count in ['impressions', 'reach', 'saves'] %}
        case when {{ told_value(count) }} >= 0 then {{ told_value(count) }} end as {{ count }},
        {%- endfor %}
        {{ share_or_null(told_value('click_through_rate')) }} as click_through_rate,
        {{ told_value('followers_gained') }} as followers_gained,
        case lower({{ trimmed(told_value('is_ai_generated')) }})
            when 'true' then true
            when 'yes' then true
            when '1' then true
            when 'false' then false
            when 'no' then false
            when '0' then false
        end as is_ai_generated,
        known_at,
        _known_at,
        _source
    from polls

),

telling as (

    select *
    from typed
    where
        {%- for measure in measures %}
        {{ 'or ' if not loop.first }}{{ measure }} is not null
        {%- endfor %}

),

newest as (

    select
        post_id,
        {%- for measure in measures %}
        {{ last_by(measure, 'at_us', measure ~ ' is not null') }} as {{ measure }},
        {%- endfor %}
        {{ last_by('_source', 'at_us', 'true') }} as source,
        {{ last_by('_known_at', 'at_us', 'true') }} as told_at,
        max(collected_at) as collected_at,
        max(known_at) as known_at
    from telling
    group by post_id

),

final as (

    select
        posts.post_id,
        posts.platform,
        {%- for measure in measures %}
        newest.{{ measure }},
        {%- endfor %}
        newest.source,
        newest.collected_at,
        case
            when newest.collected_at is not null
            then greatest({{ hours_between('newest.collected_at', 'newest.told_at') }}, 0)
        end as delay_hours,
        greatest(posts.known_at, newest.known_at) as known_at
    from posts
    left join newest on posts.post_id = newest.post_id

)

select * from final
