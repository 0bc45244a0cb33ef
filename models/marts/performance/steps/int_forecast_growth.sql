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

means as (

    select
        fit_id,
        fit_at,
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        count(*) as n_train,
        {{ exact_mean('log_size') }} as size_mean,
        {{ exact_mean('early_slope') }} as slope_mean,
        {{ ratio(exact_sum('reached'), exact_sum('reached * reached')) }} as constant_scaling,
        {{ median_of('target_views') }} as median_views,
        max(target_known_at) as known_at
    from training
    group by fit_id, fit_at, fit_platform, fit_era, from_hours, target_hours

),

deviations as (

    select
        training.fit_id,
        sqrt(
            {{ exact_mean(
                '(training.log_size - means.size_mean) * (training.log_size - means.size_mean)'
            ) }}
        ) as size_deviation,
        sqrt(
            {{ exact_mean(
                '(training.early_slope - means.slope_mean) * (training.early_slope - means.slope_mean)'
            ) }}
        ) as slope_deviation
    from training
    inner join means on training.fit_id = means.fit_id
    group by training.fit_id

),

{# Least squares of predicted / actual - 1: the error that is reported is the one that is
   made small. #}
weighted as (

    select
        training.fit_id,
        means.constant_scaling,
        {%- for feature in growth_features() %}
        {{ feature }} * training.reached as x_{{ loop.index0 }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from training
    inner join means on training.fit_id = means.fit_id
    inner join deviations on training.fit_id = deviations.fit_id

),

{# Five pseudo-observations keep growth near the posts' own constant scaling. #}
systems as (

    {{ ridge_equations('weighted', 'fit_id', growth_coefficients(), 5, 'constant_scaling') }}

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
        means.n_train,
        means.size_mean,
        deviations.size_deviation,
        means.slope_mean,
        deviations.slope_deviation,
        solved.constant,
        solved.no_slope,
        solved.slope,
        solved.slope_squared,
        solved.size,
        means.median_views,
        means.known_at
    from means
    inner join deviations on means.fit_id = deviations.fit_id
    inner join solved on means.fit_id = solved.fit_id

)

select * from final
