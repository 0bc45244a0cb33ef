{{ config(
    materialized='incremental',
    incremental_strategy='by_fit',
    unique_key=['fit_id', 'post_id'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['int_forecast_fit_sets']) }}",
) }}

with

examples as (

    select * from {{ ref('int_forecast_examples') }}
    where is_example

),

fits as (

    select * from {{ ref('int_forecast_fit_sets') }}
    where fit_id in ({{ changed_fits() }})

),

candidates as (

    select
        fits.fit_id,
        fits.fit_at,
        fits.fit_platform,
        fits.fit_era,
        fits.from_hours,
        fits.target_hours,
        fits.from_zero,
        examples.post_id,
        examples.log_ahead,
        examples.log_size,
        examples.early_slope,
        examples.from_views,
        examples.target_views,
        examples.target_known_at,
        row_number() over (
            partition by fits.fit_id
            order by examples.target_known_at desc, examples.post_id desc
        ) as choice
    from fits
    inner join examples
        on {{ fit_serves('fits', 'examples') }}
        and fits.newest_from <= examples.known_on
        and fits.fit_at >= examples.known_on

),

final as (

    select
        fit_id,
        fit_at,
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        from_zero,
        post_id,
        log_ahead,
        log_size,
        early_slope,
        target_views,
        target_known_at,
        {{ ratio(grown_from('from_views'), grown_from('target_views')) }} as reached,
        {{ ratio(grown_from('target_views'), grown_from('from_views')) }} as growth
    from candidates
    where choice <= {{ posts_of_fit() }}

)

select * from final
