with

posteriors as (

    select * from {{ ref('int_bandit_posteriors') }}

),

chances as {{ computed_once() }} (

    select * from {{ ref('int_bandit_chances') }}

),

final as (

    select
        posteriors.product_id,
        posteriors.platform,
        posteriors.pattern_id,
        posteriors.trials,
        posteriors.successes,
        posteriors.other_trials,
        posteriors.other_successes,
        posteriors.alpha,
        posteriors.beta,
        posteriors.alpha / (posteriors.alpha + posteriors.beta) as mean,
        {{ beta_deviation('posteriors.alpha', 'posteriors.beta') }} as sd,
        chances.chance_best,
        chances.expected_loss,
        chances.chance_best as suggested_share,
        least(
            {{ z95() }} * {{ beta_deviation('posteriors.alpha', 'posteriors.beta') }},
            posteriors.beta / (posteriors.alpha + posteriors.beta)
        ) as exploration_bonus,
        max(posteriors.known_at) over (
            partition by posteriors.product_id, posteriors.platform
        ) as known_at
    from posteriors
    inner join chances
        on posteriors.product_id = chances.product_id
        and posteriors.platform = chances.platform
        and posteriors.alpha = chances.alpha
        and posteriors.beta = chances.beta

)

select * from final
