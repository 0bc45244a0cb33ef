{{ config(materialized='view') }}

with

posts as (

    select
        post_id,
        pattern_id,
        script_id
    from {{ ref('int_post_outcomes') }}

),

published as (

    select
        post_id,
        hashtags,
        known_at
    from {{ ref('accepted_published_posts') }}

),

pattern_tags as (

    select * from {{ ref('int_pattern_tags') }}

),

script_tags as (

    select
        script_id,
        {{ array_elements('tags') }} as tag,
        known_at
    from {{ ref('int_script_tags') }}

),

hashtag_tags as (

    select * from {{ ref('int_hashtag_tags') }}

),

final as (

    select
        posts.post_id,
        pattern_tags.kind,
        pattern_tags.tag,
        pattern_tags.known_at
    from posts
    inner join pattern_tags on posts.pattern_id = pattern_tags.pattern_id
    union all
    select
        posts.post_id,
        'variable' as kind,
        script_tags.tag,
        script_tags.known_at
    from posts
    inner join script_tags on posts.script_id = script_tags.script_id
    union all
    select
        published.post_id,
        'hashtag' as kind,
        hashtag_tags.tag,
        published.known_at
    from published
    inner join hashtag_tags on published.hashtags = hashtag_tags.hashtags

)

select * from final
