{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'collected_at'],
    on_schema_change='fail',
    indexes=[{'columns': ['post_id']}] if target.type == 'postgres' else [],
    post_hook="{{ record_consumed() }}",
) }}

{%- set metrics = ['views', 'likes', 'comments', 'shares'] %}
{%- set columns = ['post_id', 'collected_at', 'is_rounded', 'known_so_far', 'gap_hours'] %}
{%- for metric in metrics %}
    {%- do columns.extend([metric, metric ~ '_before', metric ~ '_mono']) %}
{%- endfor %}
{%- do columns.extend([
    'is_decrease', 'drop_share', 'next_known_at', 'segment', 'segment_views',
    'segment_views_before', 'interval_hours', 'begins_burst',
]) %}

{# Windows over the polls of a post. #}
{%- set in_time -%}
by_time as (partition by post_id order by collected_at),
        so_far as (partition by post_id order by collected_at rows unbounded preceding),
        earlier as (
            partition by post_id
            order by collected_at
            rows between unbounded preceding and 1 preceding
        )
{%- endset %}

with

{{ with_changed_posts() -}}
posts as (

    select
        post_id,
        published_at,
        _state_from
    from {{ ref('accepted_published_posts') }}

),

polls as {{ rows_of_changed() }} (

    select
        post_id,
        collected_at,
        views,
        likes,
        comments,
        shares,
        counts_as_written,
        known_at
    from {{ ref('accepted_performance_metrics') }}
    {{ where_changed() }}

),

{# Of most posts the poll before says everything about an interval: they need one sorted pass.
   Not so where views were corrected, shown now and then or shortened, or where polls came in
   bursts of more than two. #}
neighbours as (

    select
        post_id,
        collected_at,
        views,
        lag(views) over by_time as previous_views,
        lead(views) over by_time as next_views,
        lag(collected_at) over by_time as previous_at,
        lag(collected_at, 2) over by_time as at_before_previous
    from polls
    window by_time as (partition by post_id order by collected_at)

),

rounded_posts as (

    select distinct post_id
    from polls
    where counts_as_written is not null

),

eventful_posts as {{ computed_once() }} (

    select post_id
    from neighbours
    where {{ is_correction('views', 'previous_views', 'next_views') }}
        or (views is null and previous_views is not null)
        or (views is not null and previous_views is null and previous_at is not null)
        or (
            {{ is_short_gap('previous_at', 'collected_at') }}
            and {{ is_short_gap('at_before_previous', 'previous_at') }}
        )
    union
    select rounded_posts.post_id
    from rounded_posts

),

plain_polls as (

    select
        post_id,
        collected_at,
        {%- for metric in metrics %}
        {{ metric }},
        max({{ metric }}) over earlier as {{ metric }}_before,
        {%- endfor %}
        max(known_at) over so_far as known_so_far,
        lead(known_at) over by_time as next_known_at,
        lag(collected_at) over by_time as previous_at,
        lag(views) over by_time as previous_views
    from polls
    where not exists (
            select 1 from eventful_posts
            where eventful_posts.post_id = polls.post_id
        )
    window
        {{ in_time }}

),

plain as (

    select
        *,
        {%- for metric in metrics %}
        greatest({{ metric }}_before, {{ metric }}) as {{ metric }}_mono,
        {%- endfor %}
        false as is_rounded,
        {{ hours_between('previous_at', 'collected_at') }} as gap_hours,
        coalesce(views < previous_views, false) as is_decrease,
        case
            when views < previous_views
            then {{ ratio('previous_views - views', 'previous_views') }}
            when views >= previous_views then 0
        end as drop_share,
        case when views is not null then 0 end as segment,
        greatest(views_before, views) as segment_views,
        views_before as segment_views_before,
        {{ hours_between('previous_at', 'collected_at') }} as interval_hours,
        {{ is_short_gap('previous_at', 'collected_at') }} as begins_burst
    from plain_polls

),

eventful_polls as (

    select *
    from polls
    where post_id in (select eventful_posts.post_id from eventful_posts)

),

{{ unrounded('eventful_polls', 'post_id', 'collected_at', metrics, 'known_at') }}

cleaned as {{ computed_once() }} (

    select
        *,
        views - coalesce(views_margin, 0) as views_low,
        views + coalesce(views_margin, 0) as views_high,
        greatest(
            {%- for metric in metrics %}
            {{ metric }}_bounded_at,
            {%- endfor %}
            known_at
        ) as clean_known_at
    from unrounded

),

running_maxima as (

    select
        post_id,
        collected_at,
        {%- for metric in metrics %}
        {{ metric }},
        max({{ metric }}_clean) over earlier as {{ metric }}_before,
        max({{ metric }}_clean) over so_far as {{ metric }}_mono,
        {%- endfor %}
        counts_as_written is not null as is_rounded,
        max(clean_known_at) over so_far as known_so_far,
        {{ hours_between('lag(collected_at) over by_time', 'collected_at') }} as gap_hours
    from cleaned
    window
        {{ in_time }}

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
        {{ is_correction('views_high', 'previous_views', 'next_views') }} as is_correction
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

eventful as (

    select
        running_maxima.*,
        coalesce(intervals.is_decrease, false) as is_decrease,
        intervals.drop_share,
        intervals.next_known_at,
        intervals.segment,
        intervals.segment_views,
        intervals.segment_views_before,
        intervals.interval_hours,
        intervals.begins_burst
    from running_maxima
    left join view_intervals as intervals
        on running_maxima.post_id = intervals.post_id
        and running_maxima.collected_at = intervals.collected_at

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

{# Once a poll was shortened, what a departed one said can have bounded it. #}
departed_from as (

    select
        post_id,
        collected_at,
        count(counts_as_written) over so_far > 0 as is_bounded
    from polls
    where post_id in (select departures.post_id from departures)
    window so_far as (partition by post_id order by collected_at rows unbounded preceding)

),

without_departed as (

    select
        polls.post_id,
        polls.collected_at,
        max(departures.replaced_at)
        filter (where departures.collected_at <= polls.collected_at or polls.is_bounded)
            as since,
        max(departures.replaced_at) as since_any
    from departed_from as polls
    inner join departures on polls.post_id = departures.post_id
    group by polls.post_id, polls.collected_at

),

all_polls as (

    select {{ columns | join(', ') }} from plain
    union all
    select {{ columns | join(', ') }} from eventful

),

with_posts as (

    select
        all_polls.*,
        without_departed.since,
        without_departed.since_any,
        posts.published_at,
        posts._state_from
    from all_polls
    inner join posts on all_polls.post_id = posts.post_id
    left join without_departed
        on all_polls.post_id = without_departed.post_id
        and all_polls.collected_at = without_departed.collected_at

),

final as (

    select
        post_id,
        collected_at,

        -- as reported
        views,
        likes,
        comments,
        shares,

        -- running maxima
        views_mono,
        likes_mono,
        comments_mono,
        shares_mono,

        -- time
        cast({{ age_us('published_at', 'collected_at') }} as {{ type_double() }}) / 3600000000
            as age_hours,
        gap_hours,

        -- change since the poll before
        case when views is not null then views_mono - views_before end as views_delta,
        case
            when coalesce(likes, comments, shares) is not null
            then {{ sum_known(['likes_mono', 'comments_mono', 'shares_mono']) }}
                - {{ sum_known(['likes_before', 'comments_before', 'shares_before']) }}
        end as engagements_delta,
        case
            when not begins_burst
            then (segment_views - segment_views_before) / interval_hours
        end as views_per_hour,
        case
            when not begins_burst
            then ln(
                    (1 + cast(segment_views as {{ type_double() }}))
                    / (1 + segment_views_before)
                ) / interval_hours
        end as log_velocity,

        -- decreases
        is_decrease,
        drop_share,
        cast(segment as bigint) as segment,

        -- known
        greatest(
            _state_from,
            known_so_far,
            since,
            case
                when drop_share > {{ var('correction_share') }}
                then greatest(next_known_at, since_any)
            end
        ) as known_at,

        -- precision
        is_rounded
    from with_posts

)

select * from final
