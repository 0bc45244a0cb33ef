{{ config(
    materialized='incremental',
    incremental_strategy='by_fit',
    unique_key=['fit_id'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['int_forecast_training']) }}",
) }}

with

training as (

    select * from {{ ref('int_forecast_training') }}
    where fit_id in ({{ changed_fits() }})

),

{# Growth is usually a power of age, of at most two, such as the posts' own on the average. #}
means as (

    select
        fit_id,
        fit_at,
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        from_zero,
        count(*) as n_train,
        {{ exact_mean('log_size') }} as size_mean,
        {{ exact_mean('early_slope') }} as slope_mean,
        greatest(
            {{ ratio(
                exact_sum('log_ahead * least(ln(growth), 2 * log_ahead)'),
                exact_sum('log_ahead * log_ahead')
            ) }},
            0.01
        ) as exponent,
        {{ median_of('target_views') }} as median_views,
        max(target_known_at) as known_at
    from training
    group by fit_id, fit_at, fit_platform, fit_era, from_hours, target_hours, from_zero

),

ahead as (

    select
        training.fit_id,
        training.log_size,
        training.early_slope,
        training.reached,
        {{ growth_ahead() }} * training.reached as ahead,
        means.size_mean,
        means.slope_mean
    from training
    inner join means on training.fit_id = means.fit_id

),

{# Constant scaling makes the mean of (predicted / actual - 1) squared smallest. #}
deviations as (

    select
        fit_id,
        sqrt({{ exact_mean('(log_size - size_mean) * (log_size - size_mean)') }})
            as size_deviation,
        sqrt({{ exact_mean('(early_slope - slope_mean) * (early_slope - slope_mean)') }})
            as slope_deviation,
        sqrt({{ exact_mean('ahead * ahead') }}) as ahead_deviation,
        greatest(
            {{ ratio(exact_sum('ahead * (1 - reached)'), exact_sum('ahead * ahead')) }}, 0
        ) as scaling
    from ahead
    group by fit_id

),

{# So do least squares of it: the error that is reported is the one that is made small. #}
weighted as (

    select
        ahead.fit_id,
        deviations.scaling * deviations.ahead_deviation as toward,
        {%- for feature in growth_features() %}
        {{ feature }} * ahead.ahead / deviations.ahead_deviation as x_{{ loop.index0 }},
        {%- endfor %}
        1 - ahead.reached as goal
    from ahead
    inner join deviations on ahead.fit_id = deviations.fit_id

),

{# Pseudo-observations keep growth near the posts' own constant scaling. #}
systems as (

    {{ ridge_equations(
        'weighted', 'fit_id', growth_coefficients(), growth_ridges(), 'toward', 'goal'
    ) }}

),

{{ solve_symmetric('systems', 'fit_id', growth_coefficients()) }}

final as (

    select
        means.fit_id,
        means.fit_at,
        means.fit_platform,
        means.fit_era,
        means.from_hours,
        means.target_hours,
        means.from_zero,
        means.n_train,
        means.size_mean,
        deviations.size_deviation,
        means.slope_mean,
        deviations.slope_deviation,
        means.exponent,
        deviations.scaling,
        {%- for name in growth_coefficients() %}
        solved.{{ name }} / deviations.ahead_deviation as {{ name }},
        {%- endfor %}
        means.median_views,
        means.known_at
    from means
    inner join deviations on means.fit_id = deviations.fit_id
    inner join solved on means.fit_id = solved.fit_id

)

select * from final
