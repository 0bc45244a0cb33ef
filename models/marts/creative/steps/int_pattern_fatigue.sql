{{ config(materialized='view') }}

{%- set uses = var('fatigue_uses') %}

with

posts as (

    select
        post_id,
        platform,
        pattern_id,
        published_at,
        log_lift
    from {{ ref('int_pattern_posts') }}
    where pattern_id is not null
        and log_lift is not null

),

numbered as (

    select
        platform,
        pattern_id,
        log_lift,
        row_number()
            over (partition by platform, pattern_id order by published_at, post_id)
            as use_number,
        count(*) over (partition by platform, pattern_id) as number_of_uses
    from posts

),

first_and_last as (

    select
        platform,
        pattern_id,
        case when use_number <= {{ uses }} then log_lift end as first_lift,
        case when use_number > number_of_uses - {{ uses }} then log_lift end as last_lift
    from numbered
    where number_of_uses >= {{ 2 * uses }}
        and (use_number <= {{ uses }} or use_number > number_of_uses - {{ uses }})

),

compared as (

    select
        platform,
        pattern_id,
        {{ exact_mean('first_lift') }} as first_mean,
        {{ exact_mean('last_lift') }} as last_mean,
        {{ exact_sum('first_lift * first_lift') }} as first_squares,
        {{ exact_sum('last_lift * last_lift') }} as last_squares
    from first_and_last
    group by platform, pattern_id

),

changes as (

    select
        platform,
        pattern_id,
        last_mean - first_mean as change,
        {{ difference_variance(uses, 'first_mean', 'first_squares', 'last_mean', 'last_squares') }}
            as variance
    from compared

),

final as (

    select
        platform,
        pattern_id,
        change / sqrt(variance) as fatigue_z
    from changes
    where variance > 1e-12

)

select * from final
