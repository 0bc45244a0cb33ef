{%- set double = type_double() -%}
{#- Success rates are laid out on so many cells of 0 to 1. -#}
{%- set cells = 200 -%}
with

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

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

trials as (

    select
        product_id,
        platform,
        pattern_id,
        count(*) as trials,
        sum(
            case
                when {{ significant('views_72h') }} > {{ significant('platform_median_72h') }} then
                    1
                else
                    0
            end
        )
            as successes
    from outcomes
    where product_id is not null
        and pattern_id is not null
        and views_72h is not null
        and platform_median_72h is not null
    group by product_id, platform, pattern_id

),

pattern_trials as (

    select
        platform,
        pattern_id,
        sum(trials) as trials,
        sum(successes) as successes
    from trials
    group by platform, pattern_id

),

{# Patterns that belong to no product are open to all of them: the most promising of each
   platform, so that the number of arms stays in proportion. #}
shared as (

    select
        platform,
        pattern_id,
        pattern_known_at
    from (
        select
            platforms.platform,
            patterns.pattern_id,
            max(patterns.known_at) over () as pattern_known_at,
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
    ) as ranked
    where place <= {{ var('max_shared_patterns') }}

),

candidates as (

    select
        products.product_id,
        platforms.platform,
        patterns.pattern_id,
        patterns.known_at
    from patterns
    inner join products on patterns.product_id = products.product_id
    cross join platforms
    union all
    select
        uses.product_id,
        platforms.platform,
        uses.pattern_id,
        uses.known_at
    from uses
    inner join products on uses.product_id = products.product_id
    cross join platforms
    union all
    select
        products.product_id,
        shared.platform,
        shared.pattern_id,
        shared.pattern_known_at
    from products
    cross join shared

),

arms as (

    select
        product_id,
        platform,
        pattern_id,
        max(known_at) as known_at
    from candidates
    group by product_id, platform, pattern_id

),

evidence as (

    select
        arms.product_id,
        arms.platform,
        arms.pattern_id,
        arms.known_at,
        coalesce(trials.trials, 0) as trials,
        coalesce(trials.successes, 0) as successes,
        coalesce(pattern_trials.trials, 0) - coalesce(trials.trials, 0) as other_trials,
        coalesce(pattern_trials.successes, 0) - coalesce(trials.successes, 0) as other_successes
    from arms
    left join trials
        on arms.product_id = trials.product_id
        and arms.platform = trials.platform
        and arms.pattern_id = trials.pattern_id
    left join pattern_trials
        on arms.platform = pattern_trials.platform
        and arms.pattern_id = pattern_trials.pattern_id

),

weighed as (

    select
        *,
        case
            when other_trials > {{ var('max_prior_trials') }} then
                {{ ratio(var('max_prior_trials'), 'other_trials') }}
            else 1
        end as prior_weight
    from evidence

),

posteriors as {{ computed_once() }} (

    select
        *,
        cast(1 + successes + prior_weight * other_successes as {{ double }}) as alpha,
        cast(
            1 + trials - successes + prior_weight * (other_trials - other_successes) as {{ double }}
        ) as beta
    from weighed

),

cells as (

    select cast(cell as {{ double }}) as cell
    from generate_series(0, {{ cells - 1 }}) as numbers (cell)

),

{# From here on each distinct posterior is laid out once, however many arms have it. #}
densities as (

    select
        shapes.alpha,
        shapes.beta,
        cells.cell,
        (shapes.alpha - 1) * ln((cells.cell + 0.5) / {{ cells }})
        + (shapes.beta - 1) * ln(1 - (cells.cell + 0.5) / {{ cells }}) as log_density
    from (
        select distinct
            alpha,
            beta
        from posteriors
    ) as shapes
    cross join cells

),

masses as (

    select
        alpha,
        beta,
        cell,
        cast(
            exp(
                greatest(log_density - max(log_density) over (partition by alpha, beta), -700)
            ) as decimal(38, 18)
        ) as mass
    from densities

),

{# Chance of each cell, and of lying below its middle. #}
curves as {{ computed_once() }} (

    select
        alpha,
        beta,
        cell,
        cast(mass as {{ double }}) / cast(sum(mass) over all_cells as {{ double }}) as mass,
        greatest(
            (cast(sum(mass) over up_to_here as {{ double }}) - cast(mass as {{ double }}) / 2)
            / cast(sum(mass) over all_cells as {{ double }}), 1e-300
        ) as below
    from masses
    window
        all_cells as (partition by alpha, beta),
        up_to_here as (partition by alpha, beta order by cell rows unbounded preceding)

),

contenders as (

    select
        product_id,
        platform,
        alpha,
        beta,
        count(*) as arms
    from posteriors
    group by product_id, platform, alpha, beta

),

{# The chance that all arms of a product and platform lie below a cell's middle. #}
best as {{ computed_once() }} (

    select
        contenders.product_id,
        contenders.platform,
        curves.cell,
        {{ exact_sum('contenders.arms * ln(curves.below)') }} as log_below
    from contenders
    inner join curves
        on contenders.alpha = curves.alpha
        and contenders.beta = curves.beta
    group by contenders.product_id, contenders.platform, curves.cell

),

{# Times a mass, the smallest exponential must still be a double. #}
chances as (

    select
        contenders.product_id,
        contenders.platform,
        contenders.alpha,
        contenders.beta,
        contenders.arms,
        {{ exact_sum('curves.mass * exp(greatest(best.log_below - ln(curves.below), -600))', 18) }}
            as chance,
        {{ exact_sum('(curves.below - exp(greatest(best.log_below, -600))) / ' ~ cells, 18) }}
            as expected_loss
    from contenders
    inner join curves
        on contenders.alpha = curves.alpha
        and contenders.beta = curves.beta
    inner join best
        on contenders.product_id = best.product_id
        and contenders.platform = best.platform
        and curves.cell = best.cell
    group by
        contenders.product_id,
        contenders.platform,
        contenders.alpha,
        contenders.beta,
        contenders.arms

),

shares as {{ computed_once() }} (

    select
        *,
        chance
        / {{ exact_sum_over('arms * chance', 'partition by product_id, platform', 18) }}
            as chance_best
    from chances

),

known as (

    select
        posteriors.product_id,
        posteriors.platform,
        greatest(max(posteriors.known_at), max(products.known_at), max(platforms.known_at))
            as known_at
    from posteriors
    inner join products on posteriors.product_id = products.product_id
    inner join platforms on posteriors.platform = platforms.platform
    group by posteriors.product_id, posteriors.platform

),

final as (

    select
        posteriors.product_id,
        posteriors.platform,
        posteriors.pattern_id,
        cast(posteriors.trials as bigint) as trials,
        cast(posteriors.successes as bigint) as successes,
        cast(posteriors.other_trials as bigint) as other_trials,
        cast(posteriors.other_successes as bigint) as other_successes,
        posteriors.alpha,
        posteriors.beta,
        posteriors.alpha / (posteriors.alpha + posteriors.beta) as mean,
        {{ beta_deviation('posteriors.alpha', 'posteriors.beta') }} as sd,
        shares.chance_best,
        greatest(shares.expected_loss, 0) as expected_loss,
        shares.chance_best as suggested_share,
        least(
            {{ z95() }} * {{ beta_deviation('posteriors.alpha', 'posteriors.beta') }},
            posteriors.beta / (posteriors.alpha + posteriors.beta)
        ) as exploration_bonus,
        known.known_at
    from posteriors
    inner join shares
        on posteriors.product_id = shares.product_id
        and posteriors.platform = shares.platform
        and posteriors.alpha = shares.alpha
        and posteriors.beta = shares.beta
    inner join known
        on posteriors.product_id = known.product_id
        and posteriors.platform = known.platform

)

select * from final
