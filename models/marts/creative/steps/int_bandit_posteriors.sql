{{ config(materialized='table') }}

with

arms as (

    select * from {{ ref('int_bandit_candidates') }}

),

trials as (

    select * from {{ ref('int_bandit_trials') }}

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

{# What other products have shown is no more than max_prior_trials of one's own. #}
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

final as (

    select
        product_id,
        platform,
        pattern_id,
        trials,
        successes,
        cast(other_trials as bigint) as other_trials,
        cast(other_successes as bigint) as other_successes,
        cast(1 + successes + prior_weight * other_successes as {{ type_double() }}) as alpha,
        cast(
            1 + trials - successes + prior_weight * (other_trials - other_successes)
            as {{ type_double() }}
        ) as beta,
        known_at
    from weighed

)

select * from final
