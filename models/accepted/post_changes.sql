{{ config(materialized=kept_changes()) }}

{# What incremental marts about posts have to make anew: a post whose rows were decided again,
   or one of whose polls was. #}
with

posts as {{ inlined() }} (

    select * from {{ ref('int_published_posts') }}

),

polls as {{ inlined() }} (

    select * from {{ ref('int_performance_metrics') }}

),

final as (

    select
        post_id,
        'post' as changed,
        _build
    from posts
    union all
    select
        post_id,
        'poll' as changed,
        _build
    from polls
    where post_id is not null
    union all
    {# A poll that names a post by key and by platform id leaves the post of that id when the
       other becomes known. #}
    select
        posts.post_id,
        'poll' as changed,
        polls._build
    from polls
    inner join posts
        on polls.platform = posts.platform
        and polls.external_post_id = posts.external_post_id
    where polls.given_post_id is not null
        and polls.platform is not null
        and polls.external_post_id is not null

)

select * from final
{{ where_not_consumed() }}
