with

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

),

observations as (
    {% for resource, models in staging_models().items() %}
    {%- set last_resource = loop.last -%}
    {%- for model in models %}
    select
        _source as source,
        '{{ resource }}' as resource,
        _known_at,
        _loaded_at,
        {{ declared_tables()[resource]['observed_at'] }} as observed_at,
        _extra
    from {{ ref(model) }}
    where _known_at <= {{ as_of() }}
    {% if not (last_resource and loop.last) %}union all{% endif %}
    {%- endfor %}
    {%- endfor %}

),

pinned_loads as (

    select load_id from {{ meta('loads') }}

),

newest as (

    select
        landed.source,
        landed.resource,
        max(landed.last_known_at) as last_extracted_at
    from {{ ref('int_landed_loads') }} as landed
    inner join pinned_loads on landed.load_id = pinned_loads.load_id
    group by landed.source, landed.resource

),

loads as (

    select
        source,
        resource,
        max(landed_at) as last_landed_at
    from {{ meta('loads') }}
    where resource <> '_heartbeat'
        and coalesce(known_at_min, landed_at) <= {{ as_of() }}
    group by source, resource

),

{# A source that is asked for all its tables at once is known to have had no news of those that
   brought none. #}
asked as (

    select
        times.source,
        max(times.asked_at) as last_asked_at
    from (
        select
            source,
            landed_at as asked_at
        from {{ meta('loads') }}
        {%- for source in asked_sources() %}
        union all
        select
            '{{ source }}' as source,
            {{ newest_heartbeat(source) }} as asked_at
        {%- endfor %}
    ) as times
    cross join build
    where times.source in ('{{ asked_sources() | join("', '") }}')
        and times.asked_at <= build.as_of
    group by times.source

),

limits as (

    select
        loads.source,
        loads.resource,
        stale_after.stale_after_hours,
        row_number() over (
            partition by loads.source, loads.resource
            order by stale_after.source = '*', stale_after.resource = '*'
        ) as choice
    from loads
    inner join {{ ref('stale_after') }} as stale_after
        on stale_after.source in ('*', loads.source)
        and stale_after.resource in ('*', loads.resource)

),

{# What landed in the last thirty days before as-of: a window, so that the cost does not
   grow with history. #}
recent as (

    select
        observations.*,
        greatest({{ hours_between('observed_at', '_known_at') }}, 0) as lag_hours
    from observations
    cross join build
    where observations._known_at > build.as_of - interval '720' hour

),

lags as (

    select
        source,
        resource,
        {{ quantile_of('lag_hours', 0.50) }} as lag_p50_hours,
        {{ quantile_of('lag_hours', 0.95) }} as lag_p95_hours,
        {{ quantile_of('lag_hours', 0.99) }} as lag_p99_hours
    from recent
    where observed_at is not null
    group by source, resource

),

unknown as (

    select
        source,
        resource,
        {{ distinct_sorted_array('field') }} as unknown_fields
    from (
        select distinct
            source,
            resource,
            {{ json_keys('_extra') }} as field
        from recent
        where _extra is not null
    ) as fields
    where field <> '_precision'
    group by source, resource

),

polls as (

    select * from {{ ref('int_weekly_polls') }}

),

final as (

    select
        loads.source,
        loads.resource,
        newest.last_extracted_at,
        loads.last_landed_at,
        {{ hours_between('newest.last_extracted_at', 'build.as_of') }} as age_hours,
        lags.lag_p50_hours,
        lags.lag_p95_hours,
        lags.lag_p99_hours,
        case
            when loads.resource = 'performance_metrics' then coalesce(polls.polls_expected, 0)
        end as polls_expected,
        case
            when loads.resource = 'performance_metrics' then coalesce(polls.polls_received, 0)
        end as polls_received,
        limits.stale_after_hours is not null
        and coalesce(
            {{ hours_between(
                'greatest(newest.last_extracted_at, asked.last_asked_at)', 'build.as_of'
            ) }} > limits.stale_after_hours,
            true
        ) as is_stale,
        coalesce(unknown.unknown_fields, {{ empty_array() }}) as unknown_fields,
        greatest(newest.last_extracted_at, asked.last_asked_at) as last_asked_at,
        limits.stale_after_hours
    from loads
    cross join build
    left join newest on loads.source = newest.source and loads.resource = newest.resource
    left join asked on loads.source = asked.source
    left join limits
        on loads.source = limits.source and loads.resource = limits.resource and limits.choice = 1
    left join lags on loads.source = lags.source and loads.resource = lags.resource
    left join unknown on loads.source = unknown.source and loads.resource = unknown.resource
    left join polls on loads.source = polls.source

)

select * from final
