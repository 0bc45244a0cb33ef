{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'from_hours', 'target_hours'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['int_forecast_examples', 'int_forecast_fits']) }}",
) }}

with

sets as (

    select * from {{ ref('int_forecast_fit_sets') }}

),

examples as (

    select * from {{ ref('int_forecast_examples') }}
    where fit_at in (select sets.fit_at from sets)

),

{# Also those whose fit was made anew, or is there no more. #}
refitted as {{ inlined() }} (

    select
        examples.post_id,
        sets._build
    from sets
    inner join examples
        on sets.fit_at = examples.fit_at
        and {{ fit_serves('sets', 'examples') }}

),

changed as (

    {{ changed_posts(also=['refitted']) }}

),

changed_examples as (

    select * from examples
    where post_id in (select changed.post_id from changed)

),

fits as (

    select * from {{ ref('int_forecast_fits') }}

),

{# A platform's own fit, where it had posts enough; else that of all platforms. #}
own_fits as (

    select
        fit_at,
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        from_zero
    from fits
    where fit_platform <> 'all'

),

assigned as (

    select
        examples.*,
        coalesce(own_fits.fit_platform, 'all') as fit_platform,
        coalesce(own_fits.fit_era, 0) as fit_era
    from changed_examples as examples
    left join own_fits
        on examples.fit_at = own_fits.fit_at
        and examples.platform = own_fits.fit_platform
        and examples.definition_era = own_fits.fit_era
        and examples.from_hours = own_fits.from_hours
        and examples.target_hours = own_fits.target_hours
        and examples.from_zero = own_fits.from_zero

),

fitted as (

    select
        assigned.*,
        fits.n_train,
        fits.middle,
        fits.lower_end,
        fits.upper_end,
        fits.median_views,
        fits.known_at as fit_known_at,
        fits.exponent,
        fits.scaling,
        {{ fitted_growth() }} as fitted
    from assigned
    inner join fits
        on assigned.fit_at = fits.fit_at
        and assigned.fit_platform = fits.fit_platform
        and assigned.fit_era = fits.fit_era
        and assigned.from_hours = fits.from_hours
        and assigned.target_hours = fits.target_hours
        and assigned.from_zero = fits.from_zero

),

{# Never under what is there already, and finite. Where there are no views errors are not told
   by views, which may stay none, but in logarithms. #}
ranges as (

    select
        fitted.*,
        {{ grown_from('from_views') }} as grown_views,
        case
            when from_zero then exp(least(middle * {{ growth_spread('fitted') }}, 50))
            else fitted
        end as growth,
        exp(greatest(lower_end * {{ growth_spread('fitted') }}, 0)) as lower_growth,
        exp(least(upper_end * {{ growth_spread('fitted') }}, 50)) as upper_growth
    from fitted

),

predicted as (

    select
        post_id,
        from_hours,
        target_hours,
        fit_platform,
        n_train,
        median_views,
        fit_known_at,
        {{ grown_to('grown_views * growth') }} as predicted,
        {{ grown_to('grown_views * least(lower_growth, growth)') }} as lo80,
        {{ grown_to('grown_views * greatest(upper_growth, growth)') }} as hi80,
        {{ grown_to('grown_views * ' ~ scaled_growth()) }} as scaled
    from ranges

),

final as (

    select
        examples.post_id,
        examples.from_hours,
        examples.target_hours,
        examples.platform,
        examples.is_pending,
        examples.fit_at,
        examples.origin_at,
        examples.from_age_hours,
        examples.from_views,
        examples.target_views,
        examples.crosses_break,
        predicted.predicted,
        predicted.lo80,
        predicted.hi80,
        predicted.scaled,
        predicted.median_views as naive,
        coalesce(predicted.n_train, 0) as n_train,
        case
            when predicted.fit_platform is null then 'too_few_posts'
            when predicted.fit_platform = 'all' then 'all'
            else 'platform'
        end as method,
        case
            when examples.is_pending then greatest(examples.origin_at, predicted.fit_known_at)
            else examples.target_known_at
        end as known_at
    from changed_examples as examples
    left join predicted
        on examples.post_id = predicted.post_id
        and examples.from_hours = predicted.from_hours
        and examples.target_hours = predicted.target_hours

)

select * from final
