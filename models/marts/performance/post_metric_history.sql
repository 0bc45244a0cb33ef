{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'collected_at'],
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{%- set mono_engagements = [
    'running_maxima.likes_mono', 'running_maxima.comments_mono', 'running_maxima.shares_mono',
] %}
{%- set metrics = ['views', 'likes', 'comments', 'shares'] %}

with

changed as (

    {{ changed_posts() }}

),

posts as (

    select
        post_id,
        published_at,
        _state_from
    from {{ ref('accepted_published_posts') }}

),

polls as (

    select
        metrics.post_id,
        metrics.collected_at,
        metrics.views,
        metrics.likes,
        metrics.comments,
        metrics.shares,
        metrics.counts_as_written,
        metrics.known_at,
        posts.published_at,
        posts._state_from
    from {{ ref('accepted_performance_metrics') }} as metrics
    inner join posts on metrics.post_id = posts.post_id
    where metrics.post_id in (select changed.post_id from changed)

),

{# Posts with counts that were shortened are few, or none. #}
rounded_posts as (

    select distinct post_id
    from polls
    where counts_as_written is not null

),

shortened as (

    select * from polls
    where post_id in (select rounded_posts.post_id from rounded_posts)

),

{{ unrounded('shortened', 'post_id', 'collected_at', metrics, 'known_at') }}

cleaned as (

    select
        polls.*,
        {%- for metric in metrics %}
        coalesce(unrounded.{{ metric }}_clean, polls.{{ metric }}) as {{ metric }}_clean,
        {%- endfor %}
        polls.views - coalesce(unrounded.views_margin, 0) as views_low,
        polls.views + coalesce(unrounded.views_margin, 0) as views_high,
        greatest(
            {%- for metric in metrics %}
            unrounded.{{ metric }}_bounded_at,
            {%- endfor %}
            polls.known_at
        ) as clean_known_at
    from polls
    left join unrounded
        on polls.post_id = unrounded.post_id
        and polls.collected_at = unrounded.collected_at

),

running_maxima as (

    select
        cleaned.*,
        {%- for metric in metrics %}
        max({{ metric }}_clean) over so_far as {{ metric }}_mono,
        {%- endfor %}
        {{ age_us('published_at', 'collected_at') }} as age_us,
        max(clean_known_at) over so_far as known_so_far,
        count(counts_as_written) over so_far as rounded_so_far,
        lag(collected_at) over by_time as previous_at
    from cleaned
    window
        by_time as (partition by post_id order by collected_at),
        so_far as (partition by post_id order by collected_at rows unbounded preceding)

),

{# Polls that were corrected away, to another time or post: until then the maxima and the
   intervals after them were others. Corrections are rare, so the join is small. #}
departures as (

    select
        post_id,
        collected_at,
        replaced_at
    from (
        {{ replaced_polls() }}
    ) as replaced
    where replaced_at > known_at

),

without_departed as (

    select
        polls.post_id,
        polls.collected_at,
        max(departures.replaced_at) filter (where departures.collected_at <= polls.collected_at)
            as since,
        max(departures.replaced_at) as since_any
    from polls
    inner join departures on polls.post_id = departures.post_id
    group by polls.post_id, polls.collected_at

),

{# Views as a series of their own: polls that did not show them are passed over. A decrease is
   one whatever a shortened count stood for. #}
view_polls as (

    select
        post_id,
        collected_at,
        views_clean,
        views_high,
        lag(views_low) over by_time as previous_views,
        lag(collected_at) over by_time as previous_at,
        lead(views_high) over by_time as next_views,
        lead(known_at) over by_time as next_known_at
    from cleaned
    where views is not null
    window by_time as (partition by post_id order by collected_at)

),

drops as (

    select
        view_polls.*,
        coalesce(views_high < previous_views, false) as is_decrease,
        case
            when views_high < previous_views
            then {{ ratio('previous_views - views_high', 'previous_views') }}
            when previous_views is not null then 0
        end as drop_share,
        coalesce(
            views_high < previous_views * (1 - {{ var('correction_share') }})
            and next_views < previous_views * (1 - {{ var('correction_share') }}),
            false
        ) as is_correction
    from view_polls

),

segments as (

    select
        drops.*,
        sum(case when is_correction then 1 else 0 end) over (
            partition by post_id order by collected_at rows unbounded preceding
        ) as segment
    from drops

),

segment_maxima as (

    select
        segments.*,
        max(views_clean) over (
            partition by post_id, segment order by collected_at rows unbounded preceding
        ) as segment_views
    from segments

),

{# An interval begins at the poll before, or, within a burst of polls, at the last one
   that is old enough. The maxima of a segment never fall, so the largest value up to
   there is the value there. #}
view_intervals as (

    select
        segment_maxima.*,
        max(segment_views) over long_before as segment_views_before,
        {{ hours_between('max(collected_at) over long_before', 'collected_at') }} as interval_hours,
        {{ is_short_gap('previous_at', 'collected_at') }}
        and not coalesce(
            lag({{ is_short_gap('previous_at', 'collected_at') }}) over by_time, false
        ) as begins_burst
    from segment_maxima
    window
        by_time as (partition by post_id order by collected_at),
        long_before as (
            partition by post_id, segment
            order by collected_at
            range between unbounded preceding
            and interval '{{ var("min_interval_minutes") }}' minute preceding
        )

),

final as (

    select
        running_maxima.post_id,
        running_maxima.collected_at,

        -- as reported
        running_maxima.views,
        running_maxima.likes,
        running_maxima.comments,
        running_maxima.shares,

        -- running maxima
        running_maxima.views_mono,
        running_maxima.likes_mono,
        running_maxima.comments_mono,
        running_maxima.shares_mono,

        -- time
        cast(running_maxima.age_us as {{ type_double() }}) / 3600000000 as age_hours,
        {{ hours_between('running_maxima.previous_at', 'running_maxima.collected_at') }}
            as gap_hours,

        -- change since the poll before
        case
            when running_maxima.views is not null
            then running_maxima.views_mono - lag(running_maxima.views_mono) over by_time
        end as views_delta,
        case
            when coalesce(
                    running_maxima.likes, running_maxima.comments, running_maxima.shares
                ) is not null
            then {{ sum_known(mono_engagements) }}
                - lag({{ sum_known(mono_engagements) }}) over by_time
        end as engagements_delta,
        case
            when not intervals.begins_burst
            then (intervals.segment_views - intervals.segment_views_before)
                / intervals.interval_hours
        end as views_per_hour,
        case
            when not intervals.begins_burst
            then ln(
                    (1 + cast(intervals.segment_views as {{ type_double() }}))
                    / (1 + intervals.segment_views_before)
                ) / intervals.interval_hours
        end as log_velocity,

        -- decreases
        coalesce(intervals.is_decrease, false) as is_decrease,
        intervals.drop_share,
        cast(intervals.segment as bigint) as segment,

        -- known
        greatest(
            running_maxima._state_from,
            running_maxima.known_so_far,
            without_departed.since,
            case when running_maxima.rounded_so_far > 0 then without_departed.since_any end,
            case
                when intervals.drop_share > {{ var('correction_share') }}
                then greatest(intervals.next_known_at, without_departed.since_any)
            end
        ) as known_at,

        -- precision
        running_maxima.counts_as_written is not null as is_rounded
    from running_maxima
    left join without_departed
        on running_maxima.post_id = without_departed.post_id
        and running_maxima.collected_at = without_departed.collected_at
    left join view_intervals as intervals
        on running_maxima.post_id = intervals.post_id
        and running_maxima.collected_at = intervals.collected_at
    window by_time as (partition by running_maxima.post_id order by running_maxima.collected_at)

)

select * from final
