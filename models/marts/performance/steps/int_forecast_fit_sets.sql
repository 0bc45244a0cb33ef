{#- A Monday is left behind with its last week. -#}
{%- set scored_hours = var("forecast_backtest_weeks") * 7 * 24 -%}
{%- set due = "fit_at + interval '" ~ (scored_hours + 7 * 24) ~ "' hour <=" %}
{{ config(
    materialized='incremental',
    incremental_strategy='differences',
    unique_key=['fit_id'],
    on_schema_change='fail',
    meta={'due': due},
    post_hook="{{ record_consumed(['int_forecast_examples']) }}",
) }}

{#- The last days that have as many posts as a fit takes: it is the same fit while they have as
    many rows and none of a newer build. -#}
{%- set newest = "filter (where posts_after < " ~ posts_of_fit() ~ ")" -%}
{%- set scope = ['fit_platform', 'fit_era', 'from_hours', 'target_hours', 'from_zero'] %}

with

examples as (

    select * from {{ ref('int_forecast_examples') }}

),

known_by_day as (

    select
        platform,
        definition_era,
        from_hours,
        target_hours,
        from_zero,
        known_on,
        count(*) as posts,
        max(_build) as newest_build
    from examples
    where is_example
    group by platform, definition_era, from_hours, target_hours, from_zero, known_on

),

{# Each post serves its platform, within one meaning of a view, and all platforms. #}
days as {{ computed_once() }} (

    select
        platform as fit_platform,
        definition_era as fit_era,
        from_hours,
        target_hours,
        from_zero,
        known_on,
        posts,
        newest_build
    from known_by_day
    union all
    select
        'all' as fit_platform,
        cast(0 as bigint) as fit_era,
        from_hours,
        target_hours,
        from_zero,
        known_on,
        cast(sum(posts) as bigint) as posts,
        max(newest_build) as newest_build
    from known_by_day
    group by from_hours, target_hours, from_zero, known_on

),

moments_of_fitting as (

    select distinct fit_at
    from examples
    where fit_at >= {{ monday_of(as_of()) }} - interval '{{ scored_hours }}' hour

),

scopes as (

    select distinct {{ scope | join(', ') }}
    from days

),

{# Also those of which too little is known: a fit that is lost changes forecasts, too. #}
sets as (

    select
        moments_of_fitting.fit_at,
        scopes.{{ scope | join(', scopes.') }}
    from moments_of_fitting
    cross join scopes

),

known as (

    select
        sets.fit_at,
        sets.{{ scope | join(', sets.') }},
        days.known_on,
        days.posts,
        days.newest_build,
        sum(days.posts) over (
            partition by sets.fit_at, sets.{{ scope | join(', sets.') }}
            order by days.known_on desc
        ) - days.posts as posts_after
    from sets
    left join days
        on {% for column in scope -%}
        sets.{{ column }} = days.{{ column }}
        and {% endfor -%}
        sets.fit_at >= days.known_on

),

final as (

    select
        {{ as_text('cast(' ~ in_utc('fit_at') ~ ' as date)') }}
        || ' ' || fit_platform || ' ' || {{ as_text('fit_era') }}
        || ' ' || {{ as_text('from_hours') }} || ' ' || {{ as_text('target_hours') }}
        || case when from_zero then ' from zero' else '' end as fit_id,
        fit_at,
        {{ scope | join(',\n        ') }},
        cast(coalesce(sum(posts), 0) as bigint) as posts,
        min(known_on) {{ newest }} as newest_from,
        cast(coalesce(sum(posts) {{ newest }}, 0) as bigint) as newest_posts,
        coalesce(max(newest_build) {{ newest }}, 0) as newest_build,
        {{ build_number() }} as _build
    from known
    group by fit_at, {{ scope | join(', ') }}

)

select * from final
