{{ config(materialized='view') }}

with

outcomes as (

    select
        product_id,
        platform,
        pattern_id,
        known_at
    from {{ ref('int_post_outcomes') }}

),

products as (

    select
        product_id,
        known_at
    from {{ ref('accepted_products') }}

),

patterns as (

    select
        pattern_id,
        product_id,
        known_at
    from {{ ref('accepted_creative_patterns') }}

),

platforms as (

    select
        platform,
        max(known_at) as known_at
    from outcomes
    group by platform

),

uses as (

    select
        product_id,
        pattern_id,
        max(known_at) as known_at
    from outcomes
    where product_id is not null
        and pattern_id is not null
    group by product_id, pattern_id

),

pattern_trials as (

    select
        platform,
        pattern_id,
        sum(trials) as trials,
        sum(successes) as successes
    from {{ ref('int_bandit_trials') }}
    group by platform, pattern_id

),

{# Patterns that belong to no product are open to all of them. Which are offered rests on all. #}
ranked as (

    select
        platforms.platform,
        patterns.pattern_id,
        max(patterns.known_at) over () as known_at,
        row_number() over (
            partition by platforms.platform
            order by
                {{ significant(
                    '(1.0 + coalesce(pattern_trials.successes, 0))'
                    ~ ' / (2 + coalesce(pattern_trials.trials, 0))'
                ) }} desc,
                patterns.pattern_id
        ) as place
    from patterns
    cross join platforms
    left join pattern_trials
        on patterns.pattern_id = pattern_trials.pattern_id
        and platforms.platform = pattern_trials.platform
    where patterns.product_id is null

),

{# The most promising of each platform, so that the number of arms stays in proportion. #}
shared as (

    select
        platform,
        pattern_id,
        known_at
    from ranked
    where place <= {{ var('max_shared_patterns') }}

),

candidates as (

    select
        patterns.product_id,
        platforms.platform,
        patterns.pattern_id,
        patterns.known_at
    from patterns
    cross join platforms
    union all
    select
        uses.product_id,
        platforms.platform,
        uses.pattern_id,
        uses.known_at
    from uses
    cross join platforms
    union all
    select
        products.product_id,
        shared.platform,
        shared.pattern_id,
        shared.known_at
    from products
    cross join shared

),

final as (

    select
        candidates.product_id,
        candidates.platform,
        candidates.pattern_id,
        greatest(max(candidates.known_at), max(products.known_at), max(platforms.known_at))
            as known_at
    from candidates
    inner join products on candidates.product_id = products.product_id
    inner join platforms on candidates.platform = platforms.platform
    group by candidates.product_id, candidates.platform, candidates.pattern_id

)

select * from final
