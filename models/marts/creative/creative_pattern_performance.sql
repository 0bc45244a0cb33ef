{%- set least = var('least_spread') -%}
{%- set uses = var('fatigue_uses') -%}

with

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

patterns as (

    select
        pattern_id,
        known_at
    from {{ ref('accepted_creative_patterns') }}

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

platforms as (

    select platform from outcomes
    union
    select 'all' as platform

),

newest_eras as (

    select
        platform,
        max(definition_era) as definition_era
    from outcomes
    group by platform

),

{# Rates and counts at an age stand for what a view is today: posts of the newest era. #}
posts as (

    select
        outcomes.post_id,
        outcomes.platform,
        outcomes.pattern_id,
        outcomes.published_at,
        outcomes.known_at,
        outcomes.views,
        outcomes.engagements,
        outcomes.log_lift_72h as lift,
        case
            when outcomes.log_lift_72h is null then null
            when
                {{ significant('outcomes.views_72h') }}
                > {{ significant('outcomes.reference_median_72h') }}
            then
                1
            else 0
        end as is_above,
        case
            when outcomes.definition_era = newest_eras.definition_era then outcomes.views_72h
        end as views_72h,
        case
            when outcomes.definition_era = newest_eras.definition_era
                and not outcomes.crosses_break
                and outcomes.engagements is not null
                and outcomes.views > 0
            then outcomes.views
        end as exposure
    from outcomes
    inner join newest_eras on outcomes.platform = newest_eras.platform

),

{# What a platform's posts reach on average, each counted once: what tells how much of a
   pattern's rate is only where it was posted. #}
platform_levels as (

    select
        platform,
        {{ exact_mean(ratio('engagements', 'exposure'), 15) }} as level
    from posts
    where exposure >= {{ var('min_views') }}
    group by platform

),

overall_level as (

    select {{ exact_mean(ratio('engagements', 'exposure'), 15) }} as level
    from posts
    where exposure >= {{ var('min_views') }}

),

{# For `all`, views are counted by what their platform would make of them. #}
placed as (

    select
        posts.*,
        cast(exposure as {{ type_double() }}) as fair_exposure
    from posts
    union all
    select
        posts.post_id,
        'all' as platform,
        posts.pattern_id,
        posts.published_at,
        posts.known_at,
        posts.views,
        posts.engagements,
        posts.lift,
        posts.is_above,
        posts.views_72h,
        posts.exposure,
        posts.exposure
        * coalesce({{ ratio('platform_levels.level', 'overall_level.level') }}, 1) as fair_exposure
    from posts
    cross join overall_level
    left join platform_levels on posts.platform = platform_levels.platform

),

rated as (

    select
        *,
        {{ ratio('engagements', 'fair_exposure') }} as fair_rate,
        case
            when exposure >= {{ var('min_views') }} then {{ ratio('engagements', 'fair_exposure') }}
        end as spread_rate
    from placed

),

{# How patterns differ from each other and posts within a pattern, from the variation of
   the posts (one-way analysis of variance). #}
groups as (

    select
        platform,
        pattern_id,
        cast(count(spread_rate) as {{ type_double() }}) as rate_n,
        {{ exact_sum('spread_rate', 15) }} as rate_total,
        {{ exact_sum('spread_rate * spread_rate', 15) }} as rate_squares,
        {{ exact_sum('case when spread_rate is not null then 1 / fair_exposure end', 15) }}
            as rate_noise,
        cast(count(lift) as {{ type_double() }}) as lift_n,
        {{ exact_sum('lift') }} as lift_total,
        {{ exact_sum('lift * lift') }} as lift_squares
    from rated
    where pattern_id is not null
    group by platform, pattern_id

),

{% for measure in ['rate', 'lift'] -%}
{{ measure }}_sums as (

    select
        platform,
        count(*) as patterns,
        sum({{ measure }}_n) as n,
        {{ exact_sum(measure ~ '_total', 15) }} as total,
        {{ exact_sum(measure ~ '_squares', 15) }} as squares,
        {{ exact_sum(measure ~ '_total * ' ~ measure ~ '_total / ' ~ measure ~ '_n', 15) }}
            as between_squares,
        sum({{ measure }}_n * {{ measure }}_n) as n_squares,
        {{ exact_sum('rate_noise', 15) if measure == 'rate' else '0' }} as noise
    from groups
    where {{ measure }}_n > 0
    group by platform

),

{{ measure }}_spread as (

    select
        platform,
        noise / n as noise,
        total / n as mean,
        (squares - between_squares) / (n - patterns) as within_variance,
        (
            (between_squares - total * total / n) / (patterns - 1)
            - (squares - between_squares) / (n - patterns)
        ) / ((n - n_squares / n) / (patterns - 1)) as between_variance
    from {{ measure }}_sums
    where patterns >= {{ var('min_spread_patterns') }}
        and n - patterns >= {{ var('min_spread_patterns') }}

),

{% endfor -%}
{# Where patterns are too few to tell, the spread of the platform's posts serves as both. #}
priors as (

    select
        platforms.platform,
        coalesce(
            nullif(rate_spread.mean, 0),
            {{ ratio('benchmarks.prior_shape', 'benchmarks.prior_rate') }},
            {{ ratio(var('fallback_shape'), var('fallback_rate')) }}
        ) as rate,
        case
            when rate_spread.mean > 0
            then rate_spread.mean / greatest(
                    rate_spread.within_variance - rate_spread.mean * rate_spread.noise,
                    {{ least ** 2 }} * rate_spread.mean * rate_spread.mean
                )
            else coalesce(benchmarks.prior_rate, {{ var('fallback_rate') }})
        end as post_weight,
        case
            when rate_spread.mean > 0
            then rate_spread.mean / greatest(
                    rate_spread.between_variance,
                    {{ least ** 2 }} * rate_spread.mean * rate_spread.mean
                )
            else coalesce(benchmarks.prior_rate, {{ var('fallback_rate') }})
        end as prior_weight,
        coalesce(lift_spread.mean, 0) as lift,
        case
            when lift_spread.platform is not null then
                greatest(lift_spread.within_variance, {{ least ** 2 }})
            else 1
        end as post_variance,
        case
            when lift_spread.platform is not null then
                greatest(lift_spread.between_variance, {{ least ** 2 }})
            else {{ var('lift_prior_sd') ** 2 }}
        end as prior_variance
    from platforms
    left join rate_spread on platforms.platform = rate_spread.platform
    left join lift_spread on platforms.platform = lift_spread.platform
    left join benchmarks on platforms.platform = benchmarks.platform

),

{# A post's views count less the more there are: they tell of that post, not of another. #}
weighed as (

    select
        rated.*,
        rated.fair_exposure
        * priors.post_weight
        / (rated.fair_exposure + priors.post_weight) as weight
    from rated
    inner join priors on rated.platform = priors.platform
    where rated.pattern_id is not null

),

used as (

    select
        platform,
        pattern_id,
        count(*) as posts,
        sum(views) as views,
        sum(engagements) as engagements,
        sum(exposure) as exposure,
        sum(case when exposure is not null then engagements end) as exposed_engagements,
        {{ exact_sum('weight', 9) }} as weight,
        {{ exact_sum('weight * fair_rate', 9) }} as weighted_engagements,
        {{ median_of('views_72h') }} as views_72h_median,
        count(lift) as lift_posts,
        {{ exact_sum('lift') }} as lift_total,
        sum(is_above) as above,
        max(published_at) as last_used_at
    from weighed
    group by platform, pattern_id

),

known as (

    select
        platform,
        max(known_at) as known_at
    from placed
    group by platform

),

compared_uses as (

    select
        platform,
        pattern_id,
        lift,
        row_number()
            over (partition by platform, pattern_id order by published_at, post_id)
            as use_number,
        row_number()
            over (partition by platform, pattern_id order by published_at desc, post_id desc)
            as uses_ago
    from rated
    where pattern_id is not null
        and lift is not null

),

{% set first = 'case when use_number <= ' ~ uses ~ ' then lift end' -%}
{% set last = 'case when uses_ago <= ' ~ uses ~ ' then lift end' -%}
first_and_last as (

    select
        platform,
        pattern_id,
        {{ exact_mean(first) }} as first_mean,
        {{ exact_mean(last) }} as last_mean,
        {{ exact_sum('(' ~ first ~ ') * (' ~ first ~ ')') }} as first_squares,
        {{ exact_sum('(' ~ last ~ ') * (' ~ last ~ ')') }} as last_squares
    from compared_uses
    group by platform, pattern_id
    having count(*) >= {{ 2 * uses }}

),

fatigue as (

    select
        platform,
        pattern_id,
        last_mean - first_mean as change,
        (
            greatest(first_squares - {{ uses }} * first_mean * first_mean, 0)
            + greatest(last_squares - {{ uses }} * last_mean * last_mean, 0)
        ) / {{ (uses - 1) * uses }} as variance
    from first_and_last

),

joined as (

    select
        patterns.pattern_id,
        platforms.platform,
        coalesce(used.posts, 0) as posts,
        case when used.posts is null then 0 else used.views end as views,
        case when used.posts is null then 0 else used.engagements end as engagements,
        used.exposure,
        used.exposed_engagements,
        coalesce(used.weighted_engagements, 0) + priors.rate * priors.prior_weight as shape,
        coalesce(used.weight, 0) + priors.prior_weight as rate,
        used.views_72h_median,
        coalesce(used.lift_posts, 0) as lift_posts,
        used.lift_total / nullif(used.lift_posts, 0) as lift_log,
        (coalesce(used.lift_total, 0) / priors.post_variance + priors.lift / priors.prior_variance)
        / (coalesce(used.lift_posts, 0) / priors.post_variance + 1 / priors.prior_variance)
            as shrunk_log,
        sqrt(
            1 / (coalesce(used.lift_posts, 0) / priors.post_variance + 1 / priors.prior_variance)
        ) as shrunk_sd,
        {{ ratio('used.above', 'used.lift_posts') }} as share_above_median,
        case when fatigue.variance > 1e-12 then fatigue.change / sqrt(fatigue.variance) end
            as fatigue_z,
        used.last_used_at,
        greatest(patterns.known_at, known.known_at) as known_at
    from patterns
    cross join platforms
    inner join priors on platforms.platform = priors.platform
    left join used
        on patterns.pattern_id = used.pattern_id
        and platforms.platform = used.platform
    left join fatigue
        on patterns.pattern_id = fatigue.pattern_id
        and platforms.platform = fatigue.platform
    left join known on platforms.platform = known.platform

),

final as (

    select
        pattern_id,
        platform,
        cast(posts as bigint) as posts,
        cast(views as bigint) as views,
        cast(engagements as bigint) as engagements,
        {{ rate_per_view('exposed_engagements', 'exposure') }} as engagement_rate,
        cast(shape / rate as {{ type_double() }}) as engagement_rate_eb,
        cast(
            least({{ gamma_quantile('shape', 'rate', '-' ~ z95()) }}, shape / rate)
            as {{ type_double() }}
        ) as engagement_rate_eb_lo,
        cast(
            greatest({{ gamma_quantile('shape', 'rate', z95()) }}, shape / rate)
            as {{ type_double() }}
        ) as engagement_rate_eb_hi,
        cast({{ wilson_low('exposed_engagements', 'exposure') }} as {{ type_double() }})
            as wilson_lo,
        cast(views_72h_median as {{ type_double() }}) as views_72h_median,
        cast(lift_posts as bigint) as lift_posts,
        cast(exp(lift_log) - 1 as {{ type_double() }}) as lift,
        cast(exp(shrunk_log) - 1 as {{ type_double() }}) as shrunk_lift,
        cast(exp(shrunk_log - {{ z95() }} * shrunk_sd) - 1 as {{ type_double() }}) as lift_lo,
        cast(exp(shrunk_log + {{ z95() }} * shrunk_sd) - 1 as {{ type_double() }}) as lift_hi,
        cast(share_above_median as {{ type_double() }}) as share_above_median,
        cast(fatigue_z as {{ type_double() }}) as fatigue_z,
        last_used_at,
        row_number() over (
            partition by platform order by {{ significant('shrunk_log') }} desc, pattern_id
        ) as rank,
        known_at
    from joined

)

select * from final
