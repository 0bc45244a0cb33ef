with

{# What was made for an adopted post was made from nothing here. #}
adopted_scripts as (

    select distinct script_id
    from {{ ref('accepted_experiments') }}
    where {{ is_adopted('variation_label') }}

),

items as (

    select
        'product' as stage,
        'script' as next_stage,
        product_id as item_id,
        cast(null as {{ type_uuid() }}) as made_from,
        product_id,
        not {{ is_adopted('source_platform') }} as is_made_here,
        created_at as came_at,
        known_at
    from {{ ref('accepted_products') }}
    union all
    select
        'script',
        'asset',
        scripts.script_id,
        case when adopted_scripts.script_id is null then scripts.product_id end,
        scripts.product_id,
        adopted_scripts.script_id is null,
        scripts.created_at,
        scripts.known_at
    from {{ ref('accepted_scripts') }} as scripts
    left join adopted_scripts on scripts.script_id = adopted_scripts.script_id
    union all
    select
        'asset',
        'experiment',
        asset_id,
        script_id,
        product_id,
        true,
        created_at,
        known_at
    from {{ ref('accepted_video_assets') }}
    union all
    select
        'experiment',
        'post',
        experiment_id,
        asset_id,
        product_id,
        not {{ is_adopted('variation_label') }},
        created_at,
        known_at
    from {{ ref('accepted_experiments') }}
    union all
    select
        'post',
        'metric',
        post_id,
        experiment_id,
        product_id,
        not {{ is_adopted('variation_label') }},
        published_at,
        known_at
    from {{ ref('int_post_facts') }}
    union all
    select
        'metric',
        null,
        post_id,
        post_id as made_from,
        product_id,
        not {{ is_adopted('variation_label') }},
        first_collected_at,
        known_at
    from {{ ref('int_post_facts') }}
    where first_collected_at is not null

),

firsts as (

    select
        stage,
        made_from,
        min(came_at) as came_at
    from items
    where made_from is not null
    group by stage, made_from

),

{# An item that comes before what it was made from took no time. #}
final as (

    select
        items.stage,
        items.item_id,
        items.product_id,
        items.is_made_here,
        items.came_at,
        items.next_stage,
        firsts.came_at as next_at,
        case
            when firsts.came_at is not null
            then greatest({{ hours_between('items.came_at', 'firsts.came_at') }}, 0)
        end as next_hours,
        items.known_at
    from items
    left join firsts
        on items.item_id = firsts.made_from
        and items.next_stage = firsts.stage

)

select * from final
