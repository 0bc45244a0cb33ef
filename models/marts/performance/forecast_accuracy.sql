with

scored as (

    select
        platform,
        from_hours,
        target_hours,
        post_id,
        origin_at,
        predicted,
        naive,
        target_views,
        lo80,
        hi80,
        known_at
    from {{ ref('int_forecasts') }}
    where not is_pending
        and predicted is not null

),

everyone as (

    select * from scored
    union all
    select
        'all' as platform,
        from_hours,
        target_hours,
        post_id,
        origin_at,
        predicted,
        naive,
        target_views,
        lo80,
        hi80,
        known_at
    from scored

),

errors as (

    select
        everyone.*,
        predicted / target_views - 1 as miss,
        naive / target_views - 1 as naive_miss,
        case
            when {{ significant('target_views') }} >= {{ significant('lo80') }}
                and {{ significant('target_views') }} <= {{ significant('hi80') }}
            then 1
            else 0
        end as is_covered,
        {{ doubled_rank(significant('predicted'), 'platform, from_hours, target_hours') }}
            as predicted_rank,
        {{ doubled_rank(significant('naive'), 'platform, from_hours, target_hours') }}
            as naive_rank,
        {{ doubled_rank(significant('target_views'), 'platform, from_hours, target_hours') }}
            as target_rank
    from everyone

),

final as (

    select
        platform,
        from_hours,
        target_hours,
        count(*) as n,
        avg(miss * miss) as mrse,
        {{ median_of('abs(miss)') }} as median_ape,
        {{ correlation_of_ranks('predicted_rank', 'target_rank') }} as spearman,
        {{ ratio('sum(is_covered)', 'count(*)') }} as coverage80,
        {{ median_of('hi80 / lo80') }} as median_width,
        avg(naive_miss * naive_miss) as naive_mrse,
        {{ median_of('abs(naive_miss)') }} as naive_median_ape,
        {{ correlation_of_ranks('naive_rank', 'target_rank') }} as naive_spearman,
        min(origin_at) as first_origin_at,
        max(origin_at) as last_origin_at,
        max(known_at) as known_at
    from errors
    group by platform, from_hours, target_hours

)

select * from final
