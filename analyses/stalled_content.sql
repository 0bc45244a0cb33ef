{#
Which products have content that stands still: written or posted, but nothing came after?

`scripts` without `posts` are words nobody filmed or published; `posts` without
`measured_posts` are posts nobody polls. `last_post_at` says how long a product has been
silent. Products without any script stand last.

Chart: bar x=scripts y=name
#}
with

scripts as (

    select
        product_id,
        count(*) as scripts,
        max(created_at) as last_script_at
    from {{ ref('scripts') }}
    group by product_id

),

posts as (

    select
        product_id,
        count(*) as posts,
        count(views) as measured_posts,
        count(distinct script_id) as posted_scripts,
        max(published_at) as last_post_at
    from {{ ref('post_performance') }}
    group by product_id

)

select
    products.name,
    coalesce(scripts.scripts, 0) as scripts,
    coalesce(posts.posted_scripts, 0) as posted_scripts,
    coalesce(posts.posts, 0) as posts,
    coalesce(posts.measured_posts, 0) as measured_posts,
    scripts.last_script_at,
    posts.last_post_at,
    products.product_id
from {{ ref('products') }} as products
left join scripts on products.product_id = scripts.product_id
left join posts on products.product_id = posts.product_id
where coalesce(posts.posts, 0) = 0
    or posts.measured_posts < posts.posts
    or posts.posted_scripts < scripts.scripts
order by
    scripts.scripts is null, posts.posts is not null, scripts.last_script_at, products.product_id
