{{ config(materialized='table') }}

with

history as (

    select * from {{ ref('int_product_snapshots') }}

),

scored as (

    select * from {{ ref('int_product_popularity') }}

),

momenta as (

    select * from {{ ref('int_product_momentum') }}

),

tests as (

    select * from {{ ref('int_product_trend_tests') }}

),

outlook as (

    select * from {{ ref('int_product_outlook') }}

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
            {{ array_elements('tags') }} as tag
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
        scored.acceleration,
        momenta.momentum,
        tests.mk_z,
        tests.sen_slope,
        momenta.robust_z,
        {{ novelty('history.age_days') }} as novelty,
        {{ ratio('history.popularity', 'history.largest_popularity') }} as saturation,
        momenta.weekly_change,
        outlook.expected_log,
        outlook.why,
        tag_lists.tags as plain_tags,
        new_tag_lists.new_tags
    from history
    left join scored
        on history.product_id = scored.product_id
        and history.snapshot_time = scored.snapshot_time
    left join momenta
        on history.product_id = momenta.product_id
        and history.snapshot_time = momenta.snapshot_time
    left join tests
        on history.product_id = tests.product_id
        and history.snapshot_time = tests.snapshot_time
    left join outlook
        on history.product_id = outlook.product_id
        and history.snapshot_time = outlook.snapshot_time
    left join tag_lists
        on history.product_id = tag_lists.product_id
        and history.snapshots = tag_lists.snapshots
    left join new_tag_lists
        on history.product_id = new_tag_lists.product_id
        and history.snapshots = new_tag_lists.snapshots

),

{# By what is expected; but a product that is falling and expected to fall stands below every
   other (expectations are within 10 of 0). A product that is alone on its day has no rank. #}
comparable as (

    select
        measured.*,
        {{ significant(
            'case when expected_log < 0 and coalesce(weekly_change, momentum, velocity) < 0 '
            ~ 'then expected_log - 100 else expected_log end'
        ) }} as prospect
    from measured

),

ranks as (

    select
        comparable.*,
        count(*) over (partition by day) as ranked_snapshots,
        max(product_known_at) over (order by day) as so_far_known_at,
        {{ rank_among_several('prospect', 'day') }} as opportunity
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
        ranks.opportunity,
        ranks.ranked_snapshots,

        -- tags
        coalesce(ranks.plain_tags, {{ empty_array() }}) as tags,
        case when ranks.snapshots > 1 then coalesce(ranks.new_tags, {{ empty_array() }}) end
            as new_tags,

        -- place in the history
        ranks.snapshots,
        ranks.is_latest,
        case when intervals.known_intervals >= 3 then intervals.usual_hours end as usual_hours,
        ranks.product_known_at,
        ranks.so_far_known_at as known_at,
        exp(ranks.expected_log) - 1 as expected_change,
        ranks.why
    from ranks
    inner join intervals on ranks.product_id = intervals.product_id

)

select * from final
