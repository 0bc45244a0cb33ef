with

{# Of Mondays that are not made again any more, forecasts may still be there. #}
sets as (

    select fit_at from {{ ref('int_forecast_fit_sets') }}

),

forecasts as {{ inlined() }} (

    select
        *,
        {{ day_of('origin_at') }} as origin_day
    from {{ ref('int_forecasts') }}
    where not is_pending
        and predicted is not null
        and from_views > 0
        and fit_at in (select sets.fit_at from sets)

),

{# The newest days that have as many forecasts as tell how good they are: more would cost more
   in every build and say nothing else. #}
days as (

    select
        platform,
        from_hours,
        target_hours,
        origin_day,
        sum(count(*)) over (
            partition by platform, from_hours, target_hours order by origin_day desc
        ) - count(*) as forecasts_after
    from forecasts
    group by platform, from_hours, target_hours, origin_day

),

chosen as (

    select forecasts.*
    from forecasts
    inner join days
        on forecasts.platform = days.platform
        and forecasts.from_hours = days.from_hours
        and forecasts.target_hours = days.target_hours
        and forecasts.origin_day = days.origin_day
    where days.forecasts_after < {{ var('forecast_scored_posts') }}

),

scored as {{ computed_once() }} (

    select
        platform,
        from_hours,
        target_hours,
        origin_at,
        {{ significant('predicted') }} as predicted,
        {{ significant('naive') }} as naive,
        {{ significant('scaled') }} as scaled,
        {{ significant('from_views') }} as unchanged,
        {{ significant('target_views') }} as target_views,
        predicted / target_views - 1 as miss,
        naive / target_views - 1 as naive_miss,
        scaled / target_views - 1 as scaled_miss,
        from_views / target_views - 1 as unchanged_miss,
        hi80 / lo80 as width,
        case
            when {{ significant('target_views') }} >= {{ significant('lo80') }}
                and {{ significant('target_views') }} <= {{ significant('hi80') }}
            then 1
            else 0
        end as is_covered,
        known_at
    from chosen

),

{# Numbers, since ranks are told faster among them than among names and ages. #}
populations as (

    select
        platform,
        from_hours,
        target_hours,
        row_number() over (order by platform, from_hours, target_hours) as population
    from (
        select
            platform,
            from_hours,
            target_hours
        from scored
        union
        select
            'all' as platform,
            from_hours,
            target_hours
        from scored
    ) as named

),

members as {{ computed_once() }} (

    select
        populations.population,
        scored.*
    from scored
    inner join populations
        on scored.from_hours = populations.from_hours
        and scored.target_hours = populations.target_hours
        and populations.platform in (scored.platform, 'all')

),

ranked as (

    select
        population,
        {{ doubled_rank('predicted', 'population') }} as predicted_rank,
        {{ doubled_rank('naive', 'population') }} as naive_rank,
        {{ doubled_rank('scaled', 'population') }} as scaled_rank,
        {{ doubled_rank('unchanged', 'population') }} as unchanged_rank,
        {{ doubled_rank('target_views', 'population') }} as target_rank
    from members

),

correlations as (

    select
        population,
        {{ correlation_of_ranks('predicted_rank', 'target_rank') }} as spearman,
        {{ correlation_of_ranks('naive_rank', 'target_rank') }} as naive_spearman,
        {{ correlation_of_ranks('scaled_rank', 'target_rank') }} as scaled_spearman,
        {{ correlation_of_ranks('unchanged_rank', 'target_rank') }} as unchanged_spearman
    from ranked
    group by population

),

errors as (

    select
        population,
        count(*) as n,
        avg(miss * miss) as mrse,
        {{ median_of('abs(miss)') }} as median_ape,
        {{ ratio('sum(is_covered)', 'count(*)') }} as coverage80,
        {{ median_of('width') }} as median_width,
        avg(naive_miss * naive_miss) as naive_mrse,
        {{ median_of('abs(naive_miss)') }} as naive_median_ape,
        avg(scaled_miss * scaled_miss) as scaled_mrse,
        {{ median_of('abs(scaled_miss)') }} as scaled_median_ape,
        avg(unchanged_miss * unchanged_miss) as unchanged_mrse,
        {{ median_of('abs(unchanged_miss)') }} as unchanged_median_ape,
        min(origin_at) as first_origin_at,
        max(origin_at) as last_origin_at,
        max(known_at) as known_at
    from members
    group by population

),

final as (

    select
        populations.platform,
        populations.from_hours,
        populations.target_hours,
        errors.n,
        errors.mrse,
        errors.median_ape,
        correlations.spearman,
        errors.coverage80,
        errors.median_width,
        errors.naive_mrse,
        errors.naive_median_ape,
        correlations.naive_spearman,
        errors.first_origin_at,
        errors.last_origin_at,
        errors.known_at,
        errors.scaled_mrse,
        errors.scaled_median_ape,
        correlations.scaled_spearman,
        errors.unchanged_mrse,
        errors.unchanged_median_ape,
        correlations.unchanged_spearman,
        {{ is_total('populations.platform') }} as is_total
    from populations
    inner join errors on populations.population = errors.population
    inner join correlations on populations.population = correlations.population

)

select * from final
