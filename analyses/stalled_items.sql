{#
Which scripts, videos, experiments and posts stand still, each by its key, and since when?

The items that `content_funnel` counts for its products that stand still: made here, overtaken
by nothing newer, and not gone on to the stage in `waits_for`. A product that waits for its first
script is its own item. Usual is up to `allowed_hours`, and the oldest of a product waits longer.

Chart: bar x=waiting_hours y=name+item_id colour=waits_for
#}
with

funnel as (

    select * from {{ ref('content_funnel') }}
    where is_stalled

),

{# What was made for an adopted post is not waited for. #}
adopted as (

    select distinct script_id
    from {{ ref('post_performance') }}
    where is_adopted
        and script_id is not null

),

items as (

    select
        'script' as waits_for,
        'product' as item,
        product_id as item_id,
        product_id,
        created_at as since
    from {{ ref('products') }}
    union all
    select
        'asset',
        'script',
        scripts.script_id,
        scripts.product_id,
        scripts.created_at
    from {{ ref('scripts') }} as scripts
    left join {{ ref('video_assets') }} as assets on scripts.script_id = assets.script_id
    left join adopted on scripts.script_id = adopted.script_id
    where assets.script_id is null
        and adopted.script_id is null
    union all
    select
        'experiment',
        'asset',
        assets.asset_id,
        assets.product_id,
        assets.created_at
    from {{ ref('video_assets') }} as assets
    left join {{ ref('experiments') }} as experiments on assets.asset_id = experiments.asset_id
    where experiments.asset_id is null
    union all
    select
        'post',
        'experiment',
        experiments.experiment_id,
        experiments.product_id,
        experiments.created_at
    from {{ ref('experiments') }} as experiments
    left join {{ ref('post_performance') }} as posts
        on experiments.experiment_id = posts.experiment_id
    where posts.experiment_id is null
    union all
    select
        'metric',
        'post',
        post_id,
        product_id,
        published_at
    from {{ ref('post_performance') }}
    where first_collected_at is null
        and not is_adopted

)

select
    products.name,
    items.waits_for,
    items.item,
    items.item_id,
    items.since,
    funnel.stalled_hours
    - extract(epoch from items.since - funnel.stalled_since) / 3600 as waiting_hours,
    funnel.allowed_hours,
    funnel.product_id
from funnel
inner join items
    on funnel.product_id = items.product_id
    and funnel.stalled_at = items.waits_for
    and funnel.stalled_since <= items.since
inner join {{ ref('products') }} as products on funnel.product_id = products.product_id
where extract(epoch from items.since - funnel.stalled_since) / 3600 <= funnel.stalled_hours
order by funnel.stalled_since, items.since, items.item_id
