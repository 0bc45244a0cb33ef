{#
Which scripts say nearly the same, so that an experiment between them tells nothing?

Pairs whose embeddings are at least 0.95 alike, each once. Where both were posted, `posts` and
`other_posts` compete for the same viewers.

Chart: bar x=cosine y=script_begins+script_id
#}
with

posted as (

    select
        script_id,
        count(*) as posts
    from {{ ref('post_performance') }}
    group by script_id

)

select
    pairs.cosine,
    pairs.reference_id as script_id,
    pairs.neighbour_id as other_script_id,
    coalesce(posted.posts, 0) as posts,
    coalesce(others.posts, 0) as other_posts,
    scripts.product_id,
    left(scripts.script_text, 80) as script_begins,
    left(other_scripts.script_text, 80) as other_begins
from {{ ref('similar_items') }} as pairs
inner join {{ ref('scripts') }} as scripts on pairs.reference_id = scripts.script_id
inner join {{ ref('scripts') }} as other_scripts
    on pairs.neighbour_id = other_scripts.script_id
left join posted on pairs.reference_id = posted.script_id
left join posted as others on pairs.neighbour_id = others.script_id
where pairs.reference_type = 'script'
    and pairs.is_near_duplicate
    and cast(pairs.reference_id as text) < cast(pairs.neighbour_id as text)
order by pairs.cosine desc, pairs.reference_id asc, pairs.neighbour_id asc
limit 50
