{%- set window = var('trend_window_days') %}
{%- set snapshots = var('trend_snapshots') %}
{%- set half_life = var('trend_half_life_days') %}
{%- set ranked = ['velocity', 'novelty', 'room', 'calm'] %}

with

landed as (

    select
        snapshot_id,
        product_id,
        snapshot_time,
        popularity_score as popularity,
        velocity_score as velocity,
        competition_score as competition,
        coalesce(tiktok_trend_tags, {{ empty_array() }}) as tags,
        known_at
    from {{ ref('accepted_trend_snapshots') }}

),

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

),

{# Of several snapshots of a product at one time, the one known last. #}
distinct_times as (

    select
        landed.*,
        row_number() over (
            partition by product_id, snapshot_time order by known_at desc, snapshot_id asc
        ) as choice,
        max(known_at) over (partition by product_id, snapshot_time) as time_known_at
    from landed

),

history as (

    select
        product_id,
        snapshot_time,
        {{ utc_day('snapshot_time') }} as day,
        popularity,
        velocity,
        competition,
        tags,
        row_number() over by_time as snapshots,
        lag(snapshot_time) over by_time as previous_at,
        lead(snapshot_time) over by_time is null as is_latest,
        {{ hours_between('min(snapshot_time) over so_far', 'snapshot_time') }} / 24 as age_days,
        max(popularity) over so_far as largest_popularity,
        max(time_known_at) over so_far as product_known_at
    from distinct_times
    where choice = 1
    window
        by_time as (partition by product_id order by snapshot_time),
        so_far as (partition by product_id order by snapshot_time rows unbounded preceding)

),

{# Statistics are of the snapshots that say how popular the product was, and compare
   them by the largest so far: scores may be on any scale. #}
scored as (

    select
        product_id,
        snapshot_time,
        popularity,
        popularity / nullif(max(abs(popularity)) over so_far, 0) as relative,
        max(abs(popularity)) over so_far as scale,
        row_number() over by_time as number,
        lag(popularity) over by_time as previous_popularity,
        {{ hours_between('lag(snapshot_time) over by_time', 'snapshot_time') }} / 24 as days,
        {{ is_short_gap('lag(snapshot_time) over by_time', 'snapshot_time') }} as is_short
    from history
    where popularity is not null
    window
        by_time as (partition by product_id order by snapshot_time),
        so_far as (partition by product_id order by snapshot_time rows unbounded preceding)

),

log_velocities as (

    select
        scored.*,
        case
            when not is_short and popularity > -1 and previous_popularity > -1
            then ln((1 + popularity) / (1 + previous_popularity)) / days
        end as log_velocity
    from scored

),

accelerations as (

    select
        product_id,
        snapshot_time,
        log_velocity
        - lag(log_velocity) over (partition by product_id order by snapshot_time) as acceleration
    from log_velocities

),

steps as (

    select numbers.step
    from (values ({{ range(1, snapshots) | join('), (') }})) as numbers (step)

),

{# Every snapshot with those before it, at most `trend_snapshots` in all. #}
pairs as (

    select
        later.product_id,
        later.snapshot_time,
        later.number,
        later.popularity,
        steps.step,
        earlier.popularity as earlier_popularity,
        earlier.popularity / nullif(later.scale, 0) as earlier_relative,
        {{ hours_between('earlier.snapshot_time', 'later.snapshot_time') }} / 24 as days
    from scored as later
    cross join steps
    inner join scored as earlier
        on later.product_id = earlier.product_id
        and later.number - steps.step = earlier.number

),

recent as (

    select * from pairs
    where days <= {{ window }}
        and earlier_relative is not null

),

sums as (

    select
        product_id,
        snapshot_time,
        count(*) as earlier,
        {{ exact_sum(half_life_weight('days', half_life), 18) }} as weights,
        {{ exact_sum(half_life_weight('2 * days', half_life), 18) }} as squared_weights,
        {{ exact_sum(half_life_weight('days', half_life) ~ ' * earlier_relative', 18) }}
            as weighted,
        {{ exact_sum(
            half_life_weight('days', half_life) ~ ' * earlier_relative * earlier_relative', 18
        ) }} as weighted_squares,
        {{ median_of('earlier_relative') }} as median_relative,
        {{ exact_sum('case when days < 7 then earlier_relative end', 18) }} as week_sum,
        count(case when days < 7 then 1 end) as week_snapshots,
        {{ exact_mean('case when days >= 7 and days < 14 then earlier_relative end', 18) }}
            as week_before,
        count(case when days >= 7 and days < 14 then 1 end) as week_before_snapshots
    from recent
    group by product_id, snapshot_time

),

deviations as (

    select
        recent.product_id,
        recent.snapshot_time,
        {{ median_of('abs(recent.earlier_relative - sums.median_relative)') }} as mad,
        {{ exact_mean('abs(recent.earlier_relative - sums.median_relative)', 18) }}
            as mean_deviation
    from recent
    inner join sums
        on recent.product_id = sums.product_id
        and recent.snapshot_time = sums.snapshot_time
    group by recent.product_id, recent.snapshot_time

),

{# A trend is tested on all pairs among a snapshot and those before it: each pair counts
   for the windows it lies in. #}
window_pairs as (

    select
        pairs.product_id,
        pairs.number + shifts.step - 1 as number,
        case
            when pairs.popularity > pairs.earlier_popularity then 1
            when pairs.popularity < pairs.earlier_popularity then -1
            else 0
        end as sign,
        (pairs.popularity - pairs.earlier_popularity) / pairs.days as slope
    from pairs
    inner join steps as shifts on pairs.step + shifts.step <= {{ snapshots }}

),

trends as (

    select
        product_id,
        number,
        cast(sum(sign) as bigint) as signs,
        {{ median_of('slope') }} as sen_slope
    from window_pairs
    group by product_id, number

),

{# Equal values within each window. #}
window_members as (

    select
        product_id,
        number,
        popularity
    from scored
    union all
    select
        product_id,
        number,
        earlier_popularity
    from pairs

),

equal_values as (

    select
        product_id,
        number,
        count(*) as values_equal
    from window_members
    group by product_id, number, popularity

),

ties as (

    select
        product_id,
        number,
        cast(sum(values_equal) as bigint) as n,
        cast(sum(values_equal * (values_equal - 1) * (2 * values_equal + 5)) as bigint) as ties
    from equal_values
    group by product_id, number

),

{# Tags: plain, and those the snapshot before did not have. #}
plain_tags as (

    select distinct
        product_id,
        snapshots,
        {{ plain_tag('tag') }} as tag
    from (
        select
            product_id,
            snapshots,
            unnest(tags) as tag
        from history
    ) as listed

),

tag_lists as (

    select
        product_id,
        snapshots,
        {{ distinct_sorted_array('tag') }} as tags
    from plain_tags
    where tag <> ''
    group by product_id, snapshots

),

new_tag_lists as (

    select
        now.product_id,
        now.snapshots,
        {{ distinct_sorted_array('now.tag') }} as new_tags
    from plain_tags as now
    left join plain_tags as before
        on now.product_id = before.product_id
        and now.snapshots - 1 = before.snapshots
        and now.tag = before.tag
    where now.tag <> ''
        and before.tag is null
    group by now.product_id, now.snapshots

),

intervals as (

    select
        product_id,
        {{ median_of(hours_between('previous_at', 'snapshot_time')) }} as usual_hours,
        count(previous_at) as known_intervals
    from history
    group by product_id

),

measured as (

    select
        history.*,
        accelerations.acceleration,
        {{ ewma_z(
            'scored.relative', 'sums.weights', 'sums.squared_weights', 'sums.weighted', 'sums.weighted_squares'
        ) }} as momentum,
        {{ mann_kendall_z('trends.signs', 'ties.n', 'ties.ties') }} as mk_z,
        case when ties.n >= 8 then trends.sen_slope end as sen_slope,
        {{ robust_z(
            'scored.relative', 'sums.median_relative', 'deviations.mad', 'deviations.mean_deviation', 'sums.earlier'
        ) }} as robust_z,
        {{ novelty('history.age_days') }} as novelty,
        {{ ratio('history.popularity', 'history.largest_popularity') }} as saturation,
        case
            when sums.week_snapshots >= 1
                and sums.week_before_snapshots >= 2
                and sums.week_before > 0
            then {{ ratio(
                '(sums.week_sum + scored.relative) / (sums.week_snapshots + 1)', 'sums.week_before'
            ) }} - 1
        end as weekly_change,
        tag_lists.tags as plain_tags,
        new_tag_lists.new_tags
    from history
    left join scored
        on history.product_id = scored.product_id
        and history.snapshot_time = scored.snapshot_time
    left join accelerations
        on history.product_id = accelerations.product_id
        and history.snapshot_time = accelerations.snapshot_time
    left join sums
        on history.product_id = sums.product_id
        and history.snapshot_time = sums.snapshot_time
    left join deviations
        on history.product_id = deviations.product_id
        and history.snapshot_time = deviations.snapshot_time
    left join trends
        on scored.product_id = trends.product_id
        and scored.number = trends.number
    left join ties
        on scored.product_id = ties.product_id
        and scored.number = ties.number
    left join tag_lists
        on history.product_id = tag_lists.product_id
        and history.snapshots = tag_lists.snapshots
    left join new_tag_lists
        on history.product_id = new_tag_lists.product_id
        and history.snapshots = new_tag_lists.snapshots

),

{# What is good is ranked upward; a product that is alone on its day has no rank. #}
comparable as (

    select
        measured.*,
        {{ significant('velocity') }} as velocity_value,
        {{ significant('novelty') }} as novelty_value,
        {{ significant('1 - saturation') }} as room_value,
        {{ significant('1 - competition') }} as calm_value
    from measured

),

ranks as (

    select
        comparable.*,
        count(*) over (partition by day) as ranked_snapshots,
        max(product_known_at) over (partition by day) as day_known_at
        {%- for name in ranked %},
        case
            when {{ name }}_value is not null
                and count({{ name }}_value) over (partition by day) >= 2
            then {{ mid_rank(name ~ '_value', 'day, ' ~ name ~ '_value is null') }}
        end as {{ name }}_rank
    {%- endfor %}
    from comparable

),

final as (

    select
        ranks.product_id,
        ranks.snapshot_time,

        -- as given
        ranks.popularity,
        ranks.velocity,
        ranks.competition,

        -- against the snapshots before
        ranks.momentum,
        ranks.acceleration,
        ranks.mk_z,
        ranks.sen_slope,
        ranks.robust_z,
        ranks.novelty,
        ranks.saturation,
        ranks.weekly_change,
        case
            when ranks.weekly_change is null then null
            when {{ significant('ranks.weekly_change') }} > 0.1 then 'up'
            when {{ significant('ranks.weekly_change') }} < -0.1 then 'down'
            else 'stable'
        end as direction,

        -- against other products
        case
            when ranks.popularity is not null
            then (
                {% for name in ranked %}coalesce(
                    ranks.{{ name }}_rank, 0
                ){{ ' + ' if not loop.last }}{% endfor %}
            )
            / nullif(
                {% for name in ranked %}case
                    when ranks.{{ name }}_rank is null then 0 else 1
                end{{ ' + ' if not loop.last }}{% endfor %},
                0
            )
        end as opportunity,
        ranks.ranked_snapshots,

        -- tags
        coalesce(ranks.plain_tags, {{ empty_array() }}) as tags,
        case when ranks.snapshots > 1 then coalesce(ranks.new_tags, {{ empty_array() }}) end
            as new_tags,

        -- place in the history
        ranks.snapshots,
        ranks.is_latest,
        case
            when ranks.is_latest
            then {{ hours_between('ranks.snapshot_time', 'build.as_of') }} > case
                    when intervals.known_intervals >= 3 then 2 * intervals.usual_hours
                    else {{ var('stale_after_hours') }}
                end
        end as is_stale,
        ranks.product_known_at,
        ranks.day_known_at as known_at
    from ranks
    cross join build
    inner join intervals on ranks.product_id = intervals.product_id

)

select * from final
