{%- set window = var('trend_window_days') %}
{%- set half_life = var('trend_half_life_days') %}
{%- set since_2000 = days_from("date '2000-01-01'", 'day') %}

with

history as (

    select * from {{ ref('int_tag_shares') }}

),

days as (

    select * from {{ ref('int_video_days') }}

),

fits as (

    select * from {{ ref('int_trend_fits') }}

),

{# Only complete days are judged, and only by complete days. Stretches as long as the
   window keep the join below from pairing a tag's whole history with itself. #}
judged as (

    select
        platform,
        tag,
        day,
        videos,
        share,
        cast(floor({{ since_2000 }} / cast({{ window }} as {{ type_double() }})) as integer)
            as stretch
    from history
    where not is_partial

),

earlier_shares as (

    select
        tag,
        day,
        videos,
        share,
        stretch
    from judged
    union all
    select
        tag,
        day,
        videos,
        share,
        stretch + 1
    from judged

),

{# The days of the window on which the tag was seen. On the others it was not, and adds
   nothing to these sums. #}
sums as {{ computed_once() }} (

    select
        judged.platform,
        judged.tag,
        judged.day,
        count(*) as days_seen,
        cast(sum(earlier.videos) as bigint) as earlier_videos,
        {{ exact_sum('earlier.share', 24) }} as share_sum,
        {{ exact_sum(
            half_life_weight(days_from('earlier.day', 'judged.day'), half_life) ~ ' * earlier.share', 24
        ) }} as weighted,
        {{ exact_sum(
            half_life_weight(days_from('earlier.day', 'judged.day'), half_life)
            ~ ' * earlier.share * earlier.share', 24
        ) }} as weighted_squares
    from judged
    inner join earlier_shares as earlier
        on judged.tag = earlier.tag
        and judged.stretch = earlier.stretch
        and earlier.day between judged.day - {{ window }} and judged.day - 1
    group by judged.platform, judged.tag, judged.day

),

{# A tag not seen on more than half of the days has a median and a MAD of 0. For the
   others the days without it are filled in. #}
frequent as (

    select
        sums.platform,
        sums.tag,
        sums.day
    from sums
    inner join days
        on sums.platform = days.platform
        and sums.day = days.day
    where days.baseline_days >= 7
        and 2 * sums.days_seen >= days.baseline_days

),

baseline_shares as {{ computed_once() }} (

    select
        frequent.tag,
        frequent.day,
        coalesce(earlier.share, 0) as share
    from frequent
    inner join days
        on frequent.platform = days.platform
        and days.day between frequent.day - {{ window }} and frequent.day - 1
    left join judged as earlier
        on frequent.tag = earlier.tag
        and days.day = earlier.day
    where not days.is_partial

),

medians as (

    select
        tag,
        day,
        {{ median_of('share') }} as median_share
    from baseline_shares
    group by tag, day

),

deviations as (

    select
        medians.tag,
        medians.day,
        medians.median_share,
        {{ median_of('abs(baseline_shares.share - medians.median_share)') }} as mad,
        {{ exact_mean('abs(baseline_shares.share - medians.median_share)', 24) }} as mean_deviation
    from medians
    inner join baseline_shares
        on medians.tag = baseline_shares.tag
        and medians.day = baseline_shares.day
    group by medians.tag, medians.day, medians.median_share

),

measured as (

    select
        history.*,
        days.baseline_days,
        days.known_at,
        case when not history.is_partial and days.baseline_days > 0
            then {{ ratio('coalesce(sums.earlier_videos, 0)', 'days.baseline_videos') }}
        end as prior_share,
        case
            when not history.is_partial then
                {{ log_share('history.videos', 'history.platform_videos') }}
        end as log_now,
        case when days.previous_day is not null
            then {{ log_share('coalesce(previous.videos, 0)', 'days.previous_videos') }}
        end as log_previous,
        case when days.earlier_day is not null
            then {{ log_share('coalesce(earlier.videos, 0)', 'days.earlier_videos') }}
        end as log_earlier,
        {{ days_from('days.previous_day', 'history.day') }} as days_since_previous,
        {{ days_from('days.earlier_day', 'days.previous_day') }} as days_before_previous,
        case when not history.is_partial then {{ robust_z(
            'history.share', 'coalesce(deviations.median_share, 0)', 'coalesce(deviations.mad, 0)',
            'coalesce(deviations.mean_deviation, sums.share_sum / days.baseline_days)', 'days.baseline_days'
        ) }} end as robust_z,
        case when not history.is_partial then {{ ewma_z(
            'history.share', 'days.weights', 'days.squared_weights', 'sums.weighted', 'sums.weighted_squares'
        ) }} end as ewma_z,
        case when not history.is_partial then {{ kl_trend(
            'history.videos', 'history.platform_videos', 'coalesce(sums.earlier_videos, 0)', 'days.baseline_videos'
        ) }} end as kl_trend
    from history
    inner join days
        on history.platform = days.platform
        and history.day = days.day
    left join sums
        on history.tag = sums.tag
        and history.day = sums.day
    left join deviations
        on history.tag = deviations.tag
        and history.day = deviations.day
    left join judged as previous
        on history.tag = previous.tag
        and days.previous_day = previous.day
    left join judged as earlier
        on history.tag = earlier.tag
        and days.earlier_day = earlier.day

),

fitted as (

    select
        measured.*,
        fits.constant,
        fits.rise,
        fits.listed,
        fits.deviation as fit_deviation
    from measured
    left join fits
        on measured.platform = fits.platform
        and measured.day = fits.day

),

expected as (

    select
        fitted.*,
        (log_now - log_previous) / days_since_previous as velocity,
        (log_previous - log_earlier) / days_before_previous as previous_velocity,
        {{ novelty(days_from('first_seen', 'day')) }} as novelty,
        constant + rise * log_rise + listed * listed_longer as expected_log,
        fit_deviation / sqrt({{ lift_weight('videos') }}) as deviation
    from fitted

),

lifted as (

    select
        expected.*,
        exp(expected_log) as expected_lift,
        exp(expected_log - {{ z80() }} * deviation) as lo80,
        exp(expected_log + {{ z80() }} * deviation) as hi80
    from expected

),

scored as (

    select
        lifted.*,
        case
            when is_judged
            then videos >= {{ var('min_breakout_videos') }}
                and (
                    prior_share = 0
                    or coalesce({{ significant('robust_z') }} > {{ var('breakout_z') }}, false)
                )
                and {{ more_than('expected_lift', var('breakout_lift')) }}
        end as is_breakout,
        {{ trend_score(cautious_log_lift('expected_log', 'deviation', 'videos')) }} as trend_score
    from lifted

),

final as (

    select
        platform,
        hashtag,
        day,

        -- counted
        videos,
        new_videos,
        authors,
        views_gained,
        views_total,
        {{ rate_per_view('engagements', 'engaged_views') }} as engagement_rate,
        platform_videos,
        is_partial,
        share,

        -- against the days before
        velocity,
        velocity - previous_velocity as acceleration,
        baseline_days,
        prior_share,
        robust_z,
        ewma_z,
        kl_trend,
        novelty,
        case when not is_partial then {{ ratio('share', 'largest_share') }} end as saturation,

        -- judged
        is_breakout,
        trend_score,
        case when trend_score is not null
            then rank() over (
                    partition by platform, day
                    order by {{ significant('trend_score') }} desc nulls last
                )
        end as rank,
        first_seen,
        days_observed,
        known_at,
        expected_lift,
        lo80,
        hi80
    from scored

)

select * from final
