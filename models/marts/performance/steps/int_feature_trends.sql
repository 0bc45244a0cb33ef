{{ config(
    materialized='incremental',
    incremental_strategy='differences',
    unique_key=['post_id'],
    on_schema_change='fail',
) }}

{# The newest trend snapshot of a post's product and the one before it, as they were known
   when the post went out. A snapshot lasts from when it is known until a version with
   another time or product takes its place. Of those that last for ever, the newest so far
   is a running maximum, and the one before it the running maximum of what lost to it; the
   few that ended are looked up. #}
with

posts as (

    select
        post_id,
        product_id,
        published_at,
        {{ epoch_us('published_at') }} as at_us
    from {{ ref('int_feature_identity') }}

),

timed as (

    select
        snapshots.*,
        snapshot_time as taken_at
    from {{ ref('valid_trend_snapshots') }} as snapshots

),

versions as (

    {{ known_versions(
        'timed',
        ['snapshot_id'],
        ['product_id', 'taken_at', 'popularity_score', 'velocity_score', 'competition_score'],
    ) }}

),

snapshots as (

    select
        versions.*,
        greatest({{ epoch_us('known_from') }}, {{ epoch_us('taken_at') }}) as from_us,
        {{ epoch_us('known_to') }} as to_us,
        row_number()
            over (partition by product_id order by taken_at, snapshot_id, known_from)
            as place
    from versions
    where known_to is null or known_to > taken_at

),

stream as (

    select
        0 as is_post,
        product_id,
        from_us as at_us,
        place,
        cast(null as {{ type_uuid() }}) as post_id
    from snapshots
    where to_us is null
    union all
    select
        1 as is_post,
        product_id,
        at_us,
        cast(null as bigint) as place,
        post_id
    from posts

),

newest_before as (

    select
        stream.*,
        max(place) over (
            partition by product_id order by at_us, is_post, place
            rows between unbounded preceding and 1 preceding
        ) as newest
    from stream

),

newest_two as (

    select
        is_post,
        post_id,
        product_id,
        at_us,
        newest,
        max(case when place < newest then place when place > newest then newest end) over (
            partition by product_id order by at_us, is_post, place
            rows unbounded preceding
        ) as second
    from newest_before

),

candidates as (

    select
        post_id,
        product_id,
        newest as place
    from newest_two
    where is_post = 1 and newest is not null
    union all
    select
        post_id,
        product_id,
        second as place
    from newest_two
    where is_post = 1 and second is not null
    union all
    select
        posts.post_id,
        posts.product_id,
        snapshots.place
    from posts
    inner join snapshots
        on posts.product_id = snapshots.product_id
        and posts.at_us >= snapshots.from_us
        and posts.at_us < snapshots.to_us

),

ranked as (

    select
        candidates.post_id,
        snapshots.taken_at,
        snapshots.popularity_score,
        snapshots.velocity_score,
        snapshots.competition_score,
        row_number() over (partition by candidates.post_id order by candidates.place desc) as choice
    from candidates
    inner join snapshots
        on candidates.product_id = snapshots.product_id
        and candidates.place = snapshots.place

),

counted as (

    select
        post_id,
        sum(change) over (partition by product_id order by at_us) as snapshots
    from (
        select
            cast(null as {{ type_uuid() }}) as post_id,
            product_id,
            from_us as at_us,
            1 as change
        from snapshots
        union all
        select
            cast(null as {{ type_uuid() }}) as post_id,
            product_id,
            to_us as at_us,
            -1 as change
        from snapshots
        where to_us is not null
        union all
        select
            post_id,
            product_id,
            at_us,
            0 as change
        from posts
    ) as changes

),

final as (

    select
        posts.post_id,
        cast(counted.snapshots as bigint) as trend_snapshots,
        {{ hours_between('newest.taken_at', 'posts.published_at') }} as trend_age_hours,
        newest.popularity_score as trend_popularity,
        newest.velocity_score as trend_velocity,
        newest.competition_score as trend_competition,
        newest.popularity_score - previous.popularity_score as trend_popularity_change,
        {{ hours_between('previous.taken_at', 'newest.taken_at') }} as trend_change_hours,
        {{ build_number() }} as _build
    from posts
    inner join counted on posts.post_id = counted.post_id
    left join ranked as newest on posts.post_id = newest.post_id and newest.choice = 1
    left join ranked as previous on posts.post_id = previous.post_id and previous.choice = 2

)

select * from final
