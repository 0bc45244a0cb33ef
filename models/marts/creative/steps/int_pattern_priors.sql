{{ config(materialized='view') }}

with

posts as (

    select * from {{ ref('int_pattern_posts') }}

),

benchmarks as (

    select
        platform,
        prior_shape,
        prior_rate
    from {{ ref('platform_benchmarks') }}
    where metric = 'engagement_rate'
        and horizon_hours = 0

),

{# `all` is there before the first post. #}
platforms as (

    select
        platform,
        max(known_at) as known_at
    from (
        select
            platform,
            known_at
        from posts
        union all
        select
            'all' as platform,
            null as known_at
    ) as placed
    group by platform

),

{# Rates under min_views are too much chance to tell of a spread. #}
pattern_sums as (

    select
        platform,
        pattern_id,
        'engagement_rate' as measure,
        cast(count(*) as {{ type_double() }}) as n,
        {{ exact_sum('fair_rate', 15) }} as total,
        {{ exact_sum('fair_rate * fair_rate', 15) }} as squares,
        {{ exact_sum('1 / fair_exposure', 15) }} as noise
    from posts
    where pattern_id is not null
        and fair_rate is not null
        and exposure >= {{ var('min_views') }}
    group by platform, pattern_id
    union all
    select
        platform,
        pattern_id,
        'log_lift' as measure,
        cast(count(*) as {{ type_double() }}) as n,
        {{ exact_sum('log_lift') }} as total,
        {{ exact_sum('log_lift * log_lift') }} as squares,
        0 as noise
    from posts
    where pattern_id is not null
        and log_lift is not null
    group by platform, pattern_id

),

sums as (

    select
        platform,
        measure,
        count(*) as patterns,
        sum(n) as n,
        {{ exact_sum('total', 15) }} as total,
        {{ exact_sum('squares', 15) }} as squares,
        {{ exact_sum('total * total / n', 15) }} as pattern_squares,
        sum(n * n) as n_squares,
        {{ exact_sum('noise', 15) }} as noise
    from pattern_sums
    group by platform, measure

),

{# How patterns differ from each other and posts within a pattern. #}
spreads as (

    select
        platform,
        measure,
        total / n as mean,
        noise / n as noise,
        {{ variance_within('n', 'patterns', 'squares', 'pattern_squares') }} as within_variance,
        {{ variance_between('n', 'patterns', 'total', 'squares', 'pattern_squares', 'n_squares') }}
            as between_variance
    from sums
    where patterns >= {{ var('min_spread_patterns') }}
        and n - patterns >= {{ var('min_spread_patterns') }}

),

rates as (

    select * from spreads
    where measure = 'engagement_rate'

),

lifts as (

    select * from spreads
    where measure = 'log_lift'

),

{# Where patterns are too few to tell, the spread of the platform's posts serves as both. #}
final as (

    select
        platforms.platform,
        coalesce(
            nullif(rates.mean, 0),
            {{ ratio('benchmarks.prior_shape', 'benchmarks.prior_rate') }},
            {{ ratio(var('fallback_shape'), var('fallback_rate')) }}
        ) as rate,
        case
            when rates.mean > 0
            then {{ gamma_weight(
                'rates.mean', 'rates.within_variance - rates.mean * rates.noise'
            ) }}
            else coalesce(benchmarks.prior_rate, {{ var('fallback_rate') }})
        end as post_weight,
        case
            when rates.mean > 0
            then {{ gamma_weight('rates.mean', 'rates.between_variance') }}
            else coalesce(benchmarks.prior_rate, {{ var('fallback_rate') }})
        end as pattern_weight,
        coalesce(lifts.mean, 0) as log_lift,
        case
            when lifts.platform is not null
            then greatest(lifts.within_variance, {{ var('least_spread') ** 2 }})
            else 1
        end as post_variance,
        case
            when lifts.platform is not null
            then greatest(lifts.between_variance, {{ var('least_spread') ** 2 }})
            else {{ var('lift_prior_sd') ** 2 }}
        end as pattern_variance,
        platforms.known_at
    from platforms
    left join rates on platforms.platform = rates.platform
    left join lifts on platforms.platform = lifts.platform
    left join benchmarks on platforms.platform = benchmarks.platform

)

select * from final
