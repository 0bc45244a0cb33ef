{{ config(materialized='view') }}

with

outcomes as (

    select
        *,
        count(log_lift_72h) over (partition by product_id) as compared_posts
    from {{ ref('int_post_outcomes') }}
    where product_id is not null

),

scripts as (

    select * from {{ ref('accepted_scripts') }}

),

patterns as (

    select * from {{ ref('int_pattern_words') }}

),

pattern_tags as (

    select * from {{ ref('int_pattern_tags') }}

),

script_tags as (

    select * from {{ ref('int_script_tags') }}

),

published as (

    select
        post_id,
        hashtags
    from {{ ref('accepted_published_posts') }}

),

hashtag_tags as (

    select * from {{ ref('int_hashtag_tags') }}

),

helping_effects as (

    select * from {{ ref('int_brief_effects') }}
    where list = 'helps'
        and confidence <> 'uncertain'

),

{# The best of a product's posts; where none can be compared, what was viewed most so far. #}
shown as (

    select
        *,
        case when compared_posts > 0 then 'best' else 'seen' end as list,
        row_number() over (
            partition by product_id
            order by
                {{ significant('log_lift_72h') }} desc,
                case when compared_posts = 0 then views end desc,
                post_id asc
        ) as place
    from outcomes
    where log_lift_72h > 0
        or (compared_posts = 0 and views > 0)

),

posts as {{ computed_once() }} (

    select * from shown
    where place <= 3

),

hashtags as {{ computed_once() }} (

    select
        posts.post_id,
        published.hashtags
    from posts
    inner join published on posts.post_id = published.post_id

),

{# What these few posts were made with. #}
tags as (

    select
        posts.post_id,
        pattern_tags.kind,
        pattern_tags.tag
    from posts
    inner join pattern_tags on posts.pattern_id = pattern_tags.pattern_id
    union all
    select
        posts.post_id,
        'variable' as kind,
        {{ array_elements('script_tags.tags') }} as tag
    from posts
    inner join script_tags on posts.script_id = script_tags.script_id
    union all
    select
        hashtags.post_id,
        'hashtag' as kind,
        hashtag_tags.tag
    from hashtags
    inner join hashtag_tags on hashtags.hashtags = hashtag_tags.hashtags

),

helped as (

    select
        posts.post_id,
        {{ tag_in_a_sentence('helping_effects.kind', 'helping_effects.tag') }}
        || ' ('
        || {{ change_text('helping_effects.effect') }}
        || ')' as reason,
        row_number()
            over (partition by posts.post_id order by helping_effects.place)
            as choice
    from posts
    inner join tags on posts.post_id = tags.post_id
    inner join helping_effects
        on posts.product_id = helping_effects.product_id
        and tags.kind = helping_effects.kind
        and tags.tag = helping_effects.tag

),

reasons as (

    select
        post_id,
        {{ joined_text('reason', ', ', 'choice') }} as reasons
    from helped
    where choice <= 3
    group by post_id

),

phrased as (

    select
        posts.post_id,
        posts.product_id,
        posts.list,
        posts.place,
        {{ shortened('posts.platform', 30) }} as platform,
        substr({{ iso_text('posts.published_at') }}, 1, 10) as published,
        {{ script_hook('scripts') }} as hook,
        {{ shortened(json_text('scripts.creative_variables', 'title'), 80) }} as title,
        {{ three_digits('posts.views_72h') }} as views_72h,
        cast({{ whole('exp(posts.log_lift_72h) * 10') }} * 0.1 as decimal(18, 1))
            as times_the_usual,
        coalesce(patterns.structure || '; ', '')
        || coalesce(patterns.look || '; ', '')
        || patterns.feel as made_with,
        coalesce(
            'It has what tends to help: ' || {{ shortened('reasons.reasons', 140) }} || '.',
            'Nothing in it is known to help: it may have been luck, or the words of the hook.'
        ) as why,
        {{ three_digits('posts.views') }} as views_so_far
    from posts
    left join scripts on posts.script_id = scripts.script_id
    left join patterns on posts.pattern_id = patterns.pattern_id
    left join reasons on posts.post_id = reasons.post_id

),

final as (

    select
        product_id,
        list,
        place,
        case list
            when 'best' then {{ document_text({
                'post_id': quoted_json(as_text('post_id')),
                'platform': quoted_json('platform'),
                'published': quoted_json('published'),
                'hook': quoted_json('hook'),
                'title': quoted_json('title'),
                'views_after_3_days': as_text('views_72h'),
                'times_the_usual': as_text('times_the_usual'),
                'made_with': quoted_json('made_with'),
                'why': quoted_json('why'),
            }) }}
            else {{ document_text({
                'post_id': quoted_json(as_text('post_id')),
                'platform': quoted_json('platform'),
                'published': quoted_json('published'),
                'hook': quoted_json('hook'),
                'title': quoted_json('title'),
                'views_so_far': as_text('views_so_far'),
            }) }}
        end as item,
        cast(null as {{ type_text() }}) as words
    from phrased

)

select * from final
