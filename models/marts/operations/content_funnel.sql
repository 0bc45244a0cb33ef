{#- The stages after the product, in order, and what each item of a stage hangs on. -#}
{%- set steps = ['script', 'asset', 'experiment', 'post', 'metric'] %}

with

build as (

    select {{ as_of() }} as as_of

),

products as (

    select
        product_id,
        {{ is_adopted('source_platform') }} as is_adopted,
        created_at as came_at,
        known_at
    from {{ ref('accepted_products') }}

),

scripts as (

    select
        script_id,
        product_id,
        created_at as came_at,
        known_at
    from {{ ref('accepted_scripts') }}

),

assets as (

    select
        asset_id,
        script_id,
        product_id,
        created_at as came_at,
        known_at
    from {{ ref('accepted_video_assets') }}

),

experiments as (

    select
        experiment_id,
        script_id,
        asset_id,
        product_id,
        {{ is_adopted('variation_label') }} as is_adopted,
        created_at as came_at,
        known_at
    from {{ ref('accepted_experiments') }}

),

posts as (

    select
        post_id,
        experiment_id,
        product_id,
        {{ is_adopted('variation_label') }} as is_adopted,
        published_at as came_at,
        first_collected_at as metric_at,
        known_at
    from {{ ref('int_post_facts') }}

),

{# Adopted posts were made elsewhere: nothing of theirs went through these steps, and what
   was made for them says nothing about how long a step takes. #}
made_scripts as (

    select scripts.*
    from scripts
    where not exists (
            select 1
            from experiments
            where experiments.is_adopted
                and experiments.script_id = scripts.script_id
        )

),

{# Each item with when it came and when the first item made from it came. #}
items as (

    select
        'script' as step,
        products.product_id,
        products.came_at,
        min(made_scripts.came_at) as next_at
    from products
    left join made_scripts on products.product_id = made_scripts.product_id
    where not products.is_adopted
    group by products.product_id, products.came_at
    union all
    select
        'asset',
        made_scripts.product_id,
        made_scripts.came_at,
        min(assets.came_at)
    from made_scripts
    left join assets on made_scripts.script_id = assets.script_id
    group by made_scripts.script_id, made_scripts.product_id, made_scripts.came_at
    union all
    select
        'experiment',
        assets.product_id,
        assets.came_at,
        min(experiments.came_at)
    from assets
    left join experiments on assets.asset_id = experiments.asset_id
    group by assets.asset_id, assets.product_id, assets.came_at
    union all
    select
        'post',
        experiments.product_id,
        experiments.came_at,
        min(posts.came_at)
    from experiments
    left join posts on experiments.experiment_id = posts.experiment_id
    where not experiments.is_adopted
    group by experiments.experiment_id, experiments.product_id, experiments.came_at
    union all
    select
        'metric',
        product_id,
        came_at,
        metric_at
    from posts
    where not is_adopted

),

{# An item that comes before what it was made from took no time. #}
hours as (

    select
        items.*,
        case
            when next_at is not null then greatest({{ hours_between('came_at', 'next_at') }}, 0)
        end as step_hours,
        max(case when next_at is not null then came_at end)
            over (partition by product_id, step)
            as last_passed
    from items
    where product_id is not null

),

usual as (

    select
        step,
        case
            when count(step_hours) >= {{ var('min_usual') }}
            then greatest(
                    {{ quantile_of('step_hours', 0.95) }} * {{ var('overdue_factor') }},
                    {{ var('stalled_hours') }}
                )
            else {{ var('stalled_hours') }}
        end as allowed_hours
    from hours
    group by step

),

{# Content waits when nothing newer of its product has passed it; older content that was
   left behind is not waited for. #}
waiting as (

    select
        hours.product_id,
        hours.step,
        usual.allowed_hours,
        {{ hours_between('min(hours.came_at)', 'build.as_of') }} as waiting_hours,
        count(*) as items
    from hours
    inner join usual on hours.step = usual.step
    cross join build
    where hours.next_at is null
        and hours.came_at <= build.as_of
        and (hours.last_passed is null or hours.came_at > hours.last_passed)
    group by hours.product_id, hours.step, usual.allowed_hours, build.as_of

),

{# Where a product waits in several places, the one furthest beyond what is usual. #}
standing as (

    select
        waiting.*,
        row_number() over (
            partition by product_id
            order by
                {{ significant('waiting_hours / allowed_hours') }} desc,
                case step
                    {%- for step in steps %}
                    when '{{ step }}' then {{ loop.index }}
                    {%- endfor %}
                end
        ) as choice
    from waiting

),

step_medians as (

    select
        {%- for step in steps %}
        {{ median_of("case when step = '" ~ step ~ "' then step_hours end") }}
            as hours_to_{{ step }},
        {%- endfor %}
        product_id
    from hours
    group by product_id

),

{# What each product has at each stage. #}
stages as (

    select
        product_id,
        'script' as stage,
        came_at,
        known_at
    from scripts
    union all
    select
        product_id,
        'asset',
        came_at,
        known_at
    from assets
    union all
    select
        product_id,
        'experiment',
        came_at,
        known_at
    from experiments
    union all
    select
        product_id,
        'post',
        came_at,
        known_at
    from posts
    union all
    select
        product_id,
        'metric',
        metric_at,
        known_at
    from posts
    where metric_at is not null

),

counted as (

    select
        product_id,
        {%- for step in steps %}
        count(*) filter (where stage = '{{ step }}') as {{ step }}s,
        {%- endfor %}
        max(came_at) as last_progress_at,
        max(known_at) as known_at
    from stages
    where product_id is not null
    group by product_id

),

final as (

    select
        products.product_id,
        products.came_at as product_created_at,
        {%- for step in steps[:-1] %}
        coalesce(counted.{{ step }}s, 0) as {{ step }}s,
        {%- endfor %}
        coalesce(counted.metrics, 0) as posts_with_metric,
        step_medians.hours_to_script as product_to_script_hours,
        step_medians.hours_to_asset as script_to_asset_hours,
        step_medians.hours_to_experiment as asset_to_experiment_hours,
        step_medians.hours_to_post as experiment_to_post_hours,
        step_medians.hours_to_metric as post_to_metric_hours,
        greatest(products.came_at, counted.last_progress_at) as last_progress_at,
        standing.step as stalled_at,
        standing.items as stalled_items,
        standing.waiting_hours as stalled_hours,
        standing.allowed_hours,
        coalesce(standing.waiting_hours > standing.allowed_hours, false) as is_stalled,
        greatest(products.known_at, counted.known_at) as known_at
    from products
    left join counted on products.product_id = counted.product_id
    left join step_medians on products.product_id = step_medians.product_id
    left join standing
        on products.product_id = standing.product_id
        and standing.choice = 1

)

select * from final
