with

build as (

    select {{ as_of() }} as as_of

),

accepted as {{ inlined() }} (

    select
        _source as source,
        post_id,
        collected_at
    from {{ ref('accepted_performance_metrics') }}

),

received as (

    select
        accepted.source,
        count(*) filter (where accepted.collected_at > build.as_of - interval '168' hour)
            as polls_received
    from accepted
    cross join build
    group by accepted.source

),

polled_posts as (

    select distinct
        source,
        post_id
    from accepted

),

{# In the week before as-of, one poll is due per poll interval for every post that the
   source has ever polled, until the post is thirty days old. #}
due as (

    select
        polled_posts.source,
        sum(
            greatest(
                floor(
                    {{ hours_between(
                        "greatest(posts.published_at, build.as_of - interval '168' hour)",
                        'build.as_of',
                    ) }} / platforms.poll_interval_hours
                ), 0
            )
        ) as polls_expected
    from polled_posts
    inner join
        {{ ref('accepted_published_posts') }} as posts
        on polled_posts.post_id = posts.post_id
    inner join {{ ref('platforms') }} as platforms on posts.platform = platforms.platform
    cross join build
    where posts.published_at > build.as_of - interval '720' hour
        and posts.published_at <= build.as_of
    group by polled_posts.source

),

final as (

    select
        received.source,
        coalesce(cast(due.polls_expected as bigint), 0) as polls_expected,
        received.polls_received
    from received
    left join due on received.source = due.source

)

select * from final
