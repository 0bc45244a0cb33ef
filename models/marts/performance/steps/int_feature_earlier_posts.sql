{{ config(
    materialized='incremental',
    incremental_strategy='differences',
    unique_key=['post_id'],
    on_schema_change='fail',
) }}

{# What was known, when a post went out, of the posts published before it. #}
with

posts as (

    select
        post_id,
        platform,
        product_id,
        script_id,
        published_at,
        {{ epoch_us('published_at') }} as at_us
    from {{ ref('int_feature_identity') }}

),

earlier as (

    select * from {{ ref('int_feature_publications') }}

),

similarities as (

    select * from {{ ref('int_feature_similarity') }}

),

{# What a post stated of itself at its own publication, when that was corrected later: it
   is in the sums below and is taken out again. Anything else a post states counts after
   its publication only. #}
own as (

    select
        posts.post_id,
        count(*) as posts,
        sum(
            case
                when earlier.published_us + {{ 7 * 24 * 3600 * 1000000 }} >= posts.at_us then 1 else
                    0
            end
        )
            as posts_7d
    from posts
    inner join earlier
        on posts.post_id = earlier.post_id
        and posts.at_us >= earlier.from_us
        and posts.at_us < earlier.to_us
    group by posts.post_id

),

changes as (

    select
        cast(null as {{ type_uuid() }}) as post_id,
        product_id,
        platform,
        script_id,
        from_us as at_us,
        1 as change,
        1 as change_7d
    from earlier
    union all
    select
        cast(null as {{ type_uuid() }}) as post_id,
        product_id,
        platform,
        script_id,
        to_us as at_us,
        -1 as change,
        0 as change_7d
    from earlier
    where to_us is not null
    union all
    select
        cast(null as {{ type_uuid() }}) as post_id,
        product_id,
        platform,
        script_id,
        greatest(from_us, least(to_us, published_us + {{ 7 * 24 * 3600 * 1000000 + 1 }})) as at_us,
        0 as change,
        -1 as change_7d
    from earlier
    union all
    select
        post_id,
        product_id,
        platform,
        script_id,
        at_us,
        0 as change,
        0 as change_7d
    from posts

),

counted as (

    select
        post_id,
        sum(change) over (partition by product_id order by at_us) as posts_of_product,
        sum(change) over (partition by product_id, script_id order by at_us) as posts_of_script,
        sum(change_7d) over (partition by platform order by at_us) as posts_7d
    from changes

),

{# The last publication before: a running maximum of those that still stand; the few that
   were corrected later are looked up. #}
standing as (

    select
        post_id,
        max(published_us)
            over (partition by product_id order by at_us, is_post rows unbounded preceding)
            as published_us
    from (
        select
            cast(null as {{ type_uuid() }}) as post_id,
            product_id,
            from_us as at_us,
            0 as is_post,
            published_us
        from earlier
        where to_us is null
        union all
        select
            post_id,
            product_id,
            at_us,
            1 as is_post,
            null as published_us
        from posts
    ) as publications

),

corrected as (

    select
        posts.post_id,
        max(earlier.published_us) as published_us
    from posts
    inner join earlier
        on posts.product_id = earlier.product_id
        and posts.post_id <> earlier.post_id
        and posts.at_us >= earlier.from_us
        and posts.at_us < earlier.to_us
    group by posts.post_id

),

final as (

    select
        posts.post_id,
        cast(
            posts.at_us
            - greatest(standing.published_us, corrected.published_us) as {{ type_double() }}
        )
        / 3600000000
            as hours_since_previous_post,
        cast(counted.posts_of_product - coalesce(own.posts, 0) as bigint)
            as posts_of_product_before,
        case
            when posts.script_id is not null then
                cast(counted.posts_of_script - coalesce(own.posts, 0) as bigint)
        end
            as posts_of_script_before,
        cast(counted.posts_7d - coalesce(own.posts_7d, 0) as bigint) as posts_on_platform_7d,
        case
            when similarities.post_id is not null
                and counted.posts_of_script - coalesce(own.posts, 0) > 0
            then cast(1 as {{ type_double() }})
            else similarities.max_similarity_other_scripts
        end as max_similarity,
        similarities.max_similarity_other_scripts,
        {{ build_number() }} as _build
    from posts
    inner join counted on posts.post_id = counted.post_id
    inner join standing on posts.post_id = standing.post_id
    left join own on posts.post_id = own.post_id
    left join corrected on posts.post_id = corrected.post_id
    left join similarities on posts.post_id = similarities.post_id

)

select * from final
