{{ config(materialized='table') }}

with

experiments as (

    select
        experiment_id,
        product_id,
        {{ is_adopted('variation_label') }} as is_adopted,
        known_at
    from {{ ref('accepted_experiments') }}

),

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

facts as (

    select
        post_id,
        status_72h
    from {{ ref('int_post_facts') }}

),

posts as (

    select
        outcomes.*,
        facts.status_72h
    from outcomes
    inner join facts on outcomes.post_id = facts.post_id
    where outcomes.experiment_id is not null

),

ranked as (

    select
        *,
        row_number() over (
            partition by experiment_id, platform order by published_at desc, post_id asc
        ) as posts_ago
    from posts

),

{# What a platform counts as a view changes. An experiment is judged by its posts of the
   newest definition it has posts of. #}
newest as (

    select
        experiment_id,
        platform,
        definition_era,
        crosses_break
    from ranked
    where posts_ago = 1

),

arms as (

    select
        newest.experiment_id,
        newest.platform,
        newest.definition_era,
        newest.crosses_break,
        count(*) as posts,
        sum(case when posts.status_72h = 'pending' then 1 else 0 end) as pending_posts,
        cast(
            sum(case when posts.crosses_break = newest.crosses_break then posts.views end) as bigint
        ) as views,
        cast(
            sum(case when posts.crosses_break = newest.crosses_break then posts.engagements end)
            as bigint
        ) as engagements,
        sum(
            case
                when posts.crosses_break = newest.crosses_break
                    and posts.engagements is not null
                then posts.views
            end
        ) as rated_views,
        sum(
            case
                when posts.crosses_break = newest.crosses_break
                    and posts.views > 0
                then posts.engagements
            end
        ) as rated_engagements
    from newest
    inner join posts
        on newest.experiment_id = posts.experiment_id
        and newest.platform = posts.platform
        and newest.definition_era = posts.definition_era
    group by newest.experiment_id, newest.platform, newest.definition_era, newest.crosses_break

),

known as (

    select
        platform,
        max(known_at) as known_at
    from outcomes
    group by platform

),

final as (

    select
        experiments.experiment_id,
        experiments.product_id,
        experiments.is_adopted,
        coalesce(arms.platform, 'none') as platform,
        arms.definition_era,
        arms.crosses_break,
        coalesce(arms.posts, 0) as posts,
        coalesce(arms.pending_posts, 0) as pending_posts,
        arms.views,
        arms.engagements,
        arms.rated_views,
        arms.rated_engagements,
        greatest(experiments.known_at, known.known_at) as known_at
    from experiments
    left join arms on experiments.experiment_id = arms.experiment_id
    left join known on arms.platform = known.platform

)

select * from final
