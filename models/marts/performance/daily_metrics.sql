with

posts as (

    select
        posts.post_id,
        posts.platform,
        lineage.product_id,
        {{ utc_day('posts.published_at') }} as day,
        greatest(posts.known_at, lineage.known_at) as known_at
    from {{ ref('accepted_published_posts') }} as posts
    left join {{ ref('int_post_lineage') }} as lineage on posts.post_id = lineage.post_id

),

{# Sums of doubles are kept exact until the last one. -#}
growth as (

    select
        posts.platform,
        posts.product_id,
        days.day,
        count(*) as posts_active,
        count(*) filter (where days.is_last) as posts_open,
        {{ exact_part('days.views_gained') }} as views_gained,
        {{ exact_part('days.views_gained_spread') }} as views_gained_spread,
        {{ exact_part('days.engagements_gained') }} as engagements_gained,
        {{ exact_part('days.views_unplaced') }} as views_unplaced,
        {{ exact_part('days.engagements_unplaced') }} as engagements_unplaced,
        max(greatest(days.known_at, posts.known_at)) as known_at
    from {{ ref('int_post_days') }} as days
    inner join posts on days.post_id = posts.post_id
    group by posts.platform, posts.product_id, days.day

),

published as (

    select
        platform,
        product_id,
        day,
        count(*) as posts_published,
        max(known_at) as known_at
    from posts
    group by platform, product_id, day

),

united as (

    select
        day,
        platform,
        product_id,
        0 as posts_published,
        posts_active,
        posts_open,
        views_gained,
        views_gained_spread,
        engagements_gained,
        views_unplaced,
        engagements_unplaced,
        known_at
    from growth
    union all
    select
        day,
        platform,
        product_id,
        posts_published,
        0 as posts_active,
        0 as posts_open,
        null as views_gained,
        null as views_gained_spread,
        null as engagements_gained,
        null as views_unplaced,
        null as engagements_unplaced,
        known_at
    from published

),

summed as (

    select
        day,
        platform,
        product_id,
        sum(posts_published) as posts_published,
        sum(posts_active) as posts_active,
        sum(posts_open) as posts_open,
        sum(views_gained) as views_gained,
        sum(views_gained_spread) as views_gained_spread,
        sum(engagements_gained) as engagements_gained,
        sum(views_unplaced) as views_unplaced,
        sum(engagements_unplaced) as engagements_unplaced,
        max(known_at) as known_at
    from united
    group by day, platform, product_id

),

{# The day of a platform's newest poll is not over, as far as its posts are known. -#}
newest as (

    select
        platform,
        max(day) as day
    from growth
    group by platform

),

final as (

    select
        summed.day,
        summed.platform,
        summed.product_id,
        cast(summed.posts_published as bigint) as posts_published,
        cast(summed.posts_active as bigint) as posts_active,
        cast(summed.posts_open as bigint) as posts_open,
        cast(summed.views_gained as {{ type_double() }}) as views_gained,
        cast(summed.views_gained_spread as {{ type_double() }}) as views_gained_spread,
        cast(summed.engagements_gained as {{ type_double() }}) as engagements_gained,
        cast(summed.views_unplaced as {{ type_double() }}) as views_unplaced,
        cast(summed.engagements_unplaced as {{ type_double() }}) as engagements_unplaced,
        cast(
            sum({{ sum_known(['summed.views_gained', 'summed.views_unplaced']) }}) over so_far
            as {{ type_double() }}
        ) as views_total,
        coalesce(summed.day < newest.day, false) as is_complete,
        max(summed.known_at) over so_far as known_at
    from summed
    left join newest on summed.platform = newest.platform
    window so_far as (
        partition by summed.platform, summed.product_id
        order by summed.day
        rows unbounded preceding
    )

)

select * from final
