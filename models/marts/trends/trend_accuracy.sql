{#- Whatever scores tags, with what its columns begin with. Ratios of shares from 0 are above all. -#}
{%- set scores = {
    '': 'trend_score',
    'today_': "case when past_share = 0 then 1e9 else share / past_share end",
    'velocity_': 'coalesce(velocity, 0)',
    'videos_': 'videos',
} %}

with

days as (

    select
        platform,
        day,
        known_at
    from {{ ref('int_video_days') }}

),

outcomes as (

    select
        platform,
        hashtag,
        day,
        outcome_day,
        past_share,
        next_share,
        next_peak,
        log_lift
    from {{ ref('int_tag_shares') }}
    where videos >= {{ var('trend_min_videos') }}
        and log_lift is not null

),

trends as (

    select * from {{ ref('hashtag_trends') }}
    where videos >= {{ var('trend_min_videos') }}
        and trend_score is not null

),

joined as (

    select
        trends.platform,
        trends.hashtag,
        trends.day,
        cast(date_trunc('week', trends.day) as date) as week,
        trends.videos,
        trends.share,
        trends.velocity,
        trends.trend_score,
        trends.is_breakout,
        outcomes.past_share,
        outcomes.next_share,
        outcomes.next_peak,
        outcomes.log_lift,
        trends.lo80,
        trends.hi80,
        days.known_at
    from trends
    inner join outcomes
        on trends.platform = outcomes.platform
        and trends.hashtag = outcomes.hashtag
        and trends.day = outcomes.day
    inner join days
        on outcomes.platform = days.platform
        and outcomes.outcome_day = days.day

),

judged as {{ computed_once() }} (

    select
        joined.*,
        case
            when {{ more_than('next_share', var('breakout_lift') ~ ' * past_share') }} then 1
            else 0
        end as stayed,
        case
            when {{ within('log_lift', 'ln(lo80)', 'ln(hi80)') }} then 1
            else 0
        end as is_covered
    from joined

),

weeks as (

    select
        platform,
        week,
        count(distinct day) as days,
        count(*) as tags,
        {{ ratio('sum(stayed)', 'count(*)') }} as all_share,
        {{ exact_mean('log_lift') }} as all_log_lift,
        {{ ratio('sum(is_covered)', 'count(*)') }} as coverage80,
        count(case when is_breakout then 1 end) as breakouts,
        count(case when is_breakout and stayed = 1 then 1 end) as breakouts_stayed,
        max(known_at) as known_at
    from judged
    group by platform, week

),

scored as (
    {% for prefix, score in scores.items() %}
    select
        judged.*,
        '{{ prefix }}' as scored_by,
        {{ significant(score) }} as score,
        {{ significant('log_lift') }} as lift
    from judged
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

ranked as (

    select
        scored.*,
        {{ doubled_rank('score', 'scored_by, platform, week') }} as score_rank,
        {{ doubled_rank('lift', 'scored_by, platform, week') }} as lift_rank,
        row_number() over (
            partition by scored_by, platform, day order by score desc, hashtag asc
        ) as place
    from scored

),

{# A tag comes in when it was not among the first for four weeks. #}
placed as (

    select
        ranked.*,
        place <= 20 as is_top,
        coalesce(
            day - {{ var('trend_window_days') }} <= max(case when place <= 20 then day end) over (
                partition by scored_by, platform, hashtag
                order by day rows between unbounded preceding and 1 preceding
            ),
            false
        ) as was_top
    from ranked

),

measured as (

    select
        platform,
        week,
        scored_by,
        {{ correlation_of_ranks('score_rank', 'lift_rank') }} as spearman,
        {{ ratio('sum(case when is_top then stayed end)', 'count(case when is_top then 1 end)') }}
            as top20_share,
        {{ exact_mean('case when is_top then log_lift end') }} as top20_log_lift,
        {{ ratio(
            exact_sum(
                'case when is_top and not was_top then'
                ~ ' greatest(next_peak - greatest(share, past_share), 0) end', 18
            ),
            exact_sum(
                'case when is_top and not was_top then'
                ~ ' greatest(next_peak, share, past_share) - past_share end', 18
            )
        ) }} as growth_ahead
    from placed
    group by platform, week, scored_by

),

final as (

    select
        weeks.platform,
        weeks.week,
        weeks.days,
        weeks.tags,
        weeks.all_share,
        weeks.all_log_lift,
        weeks.coverage80,
        weeks.breakouts,
        weeks.breakouts_stayed,
        {%- for prefix in scores %}
        {%- for name in ['spearman', 'top20_share', 'top20_log_lift', 'growth_ahead'] %}
        max(case when measured.scored_by = '{{ prefix }}' then measured.{{ name }} end)
            as {{ prefix }}{{ name }},
        {%- endfor %}
        {%- endfor %}
        weeks.known_at
    from weeks
    inner join measured
        on weeks.platform = measured.platform
        and weeks.week = measured.week
    group by
        weeks.platform, weeks.week, weeks.days, weeks.tags, weeks.all_share, weeks.all_log_lift,
        weeks.coverage80, weeks.breakouts, weeks.breakouts_stayed, weeks.known_at

)

select * from final
