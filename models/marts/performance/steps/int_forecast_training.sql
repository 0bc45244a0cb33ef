{{ config(materialized='table') }}

{%- set training_posts = var('forecast_training_posts') -%}

with

examples as (

    select
        examples.*,
        {{ monday_of("(examples.target_known_at - interval '0.000001' second)") }}
        + interval '168' hour as known_on_monday
    from {{ ref('int_forecast_examples') }} as examples
    where is_example

),

build as (

    select {{ as_of() }} as as_of

),

{# Each post serves its platform, within one meaning of a view, and all platforms. #}
scoped as (

    select
        platform as fit_platform,
        definition_era as fit_era,
        examples.*
    from examples
    union all
    select
        'all' as fit_platform,
        cast(0 as bigint) as fit_era,
        examples.*
    from examples

),

numbered as (

    select
        scoped.*,
        row_number() over (
            partition by fit_platform, fit_era, from_hours, target_hours
            order by target_known_at, post_id
        ) as position
    from scoped

),

known_by_week as (

    select
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        known_on_monday,
        count(*) as posts
    from scoped
    group by fit_platform, fit_era, from_hours, target_hours, known_on_monday

),

moments_of_fitting as (

    select distinct fit_at from {{ ref('int_forecast_examples') }}
    where fit_at is not null

),

{# How many posts were known at each of these times; everything is known by as-of. #}
counted as (

    select
        moments_of_fitting.fit_at,
        known_by_week.fit_platform,
        known_by_week.fit_era,
        known_by_week.from_hours,
        known_by_week.target_hours,
        cast(sum(known_by_week.posts) as bigint) as last_position
    from moments_of_fitting
    cross join build
    inner join known_by_week
        on moments_of_fitting.fit_at >= known_by_week.known_on_monday
        or moments_of_fitting.fit_at = build.as_of
    group by
        moments_of_fitting.fit_at,
        known_by_week.fit_platform,
        known_by_week.fit_era,
        known_by_week.from_hours,
        known_by_week.target_hours
    having sum(known_by_week.posts) >= {{ var('forecast_min_posts') }}

),

fits as (

    select
        counted.*,
        row_number() over (
            order by fit_at, fit_platform, fit_era, from_hours, target_hours
        ) as fit_id
    from counted

),

{# The newest posts lie in two blocks of positions at most: looked up, not compared. #}
blocks as (

    select
        fits.*,
        {{ block_of('last_position', training_posts) }} as block
    from fits
    union
    select
        fits.*,
        greatest({{ block_of('last_position', training_posts) }} - 1, 0) as block
    from fits

),

final as (

    select
        blocks.fit_id,
        blocks.fit_at,
        blocks.fit_platform,
        blocks.fit_era,
        blocks.from_hours,
        blocks.target_hours,
        numbered.post_id,
        numbered.log_size,
        numbered.early_slope,
        numbered.target_views,
        numbered.target_known_at,
        {{ ratio('numbered.from_views', 'numbered.target_views') }} as reached,
        {{ ratio('numbered.target_views', 'numbered.from_views') }} as growth
    from blocks
    inner join numbered
        on blocks.fit_platform = numbered.fit_platform
        and blocks.fit_era = numbered.fit_era
        and blocks.from_hours = numbered.from_hours
        and blocks.target_hours = numbered.target_hours
        and blocks.block = {{ block_of('numbered.position', training_posts) }}
    where numbered.position <= blocks.last_position
        and numbered.position > blocks.last_position - {{ training_posts }}

)

select * from final
