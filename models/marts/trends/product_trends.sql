with

trends as (

    select * from {{ ref('int_product_trends') }}

),

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

),

final as (

    select
        trends.product_id,
        trends.snapshot_time,
        trends.popularity,
        trends.velocity,
        trends.competition,
        trends.momentum,
        trends.acceleration,
        trends.mk_z,
        trends.sen_slope,
        trends.robust_z,
        trends.novelty,
        trends.saturation,
        trends.weekly_change,
        trends.direction,
        trends.opportunity,
        trends.ranked_snapshots,
        trends.tags,
        trends.new_tags,
        trends.snapshots,
        trends.is_latest,
        case
            when trends.is_latest
            then {{ hours_between('trends.snapshot_time', 'build.as_of') }}
                > coalesce(2 * trends.usual_hours, {{ var('stale_after_hours') }})
        end as is_stale,
        trends.product_known_at,
        trends.known_at,
        trends.expected_change,
        trends.why
    from trends
    cross join build

)

select * from final
