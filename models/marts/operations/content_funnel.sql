with

build as (

    select {{ as_of() }} as as_of

),

items as (

    select * from {{ ref('int_content_items') }}

),

products as (

    select
        product_id,
        max(came_at) filter (where stage = 'product') as product_created_at,
        count(*) filter (where stage = 'script') as scripts,
        count(*) filter (where stage = 'asset') as assets,
        count(*) filter (where stage = 'experiment') as experiments,
        count(*) filter (where stage = 'post') as posts,
        count(*) filter (where stage = 'metric') as posts_with_metric,
        max(came_at) as last_progress_at,
        max(known_at) as known_at
    from items
    group by product_id
    having count(*) filter (where stage = 'product') > 0

),

{# Adopted posts were made elsewhere: nothing of theirs went through these steps, and what
   was made for them says nothing about how long a step takes. #}
made as (

    select
        product_id,
        next_stage,
        came_at,
        next_at,
        next_hours,
        max(case when next_at is not null then came_at end)
            over (partition by product_id, next_stage)
            as last_passed
    from items
    where is_made_here
        and product_id is not null
        and next_stage is not null

),

medians as (

    select
        product_id,
        {{ median_of("case when next_stage = 'script' then next_hours end") }}
            as product_to_script_hours,
        {{ median_of("case when next_stage = 'asset' then next_hours end") }}
            as script_to_asset_hours,
        {{ median_of("case when next_stage = 'experiment' then next_hours end") }}
            as asset_to_experiment_hours,
        {{ median_of("case when next_stage = 'post' then next_hours end") }}
            as experiment_to_post_hours,
        {{ median_of("case when next_stage = 'metric' then next_hours end") }}
            as post_to_metric_hours
    from made
    group by product_id

),

usual as (

    select
        next_stage,
        case
            when count(next_hours) >= {{ var('min_usual') }}
            then greatest(
                    {{ quantile_of('next_hours', 0.95) }} * {{ var('overdue_factor') }},
                    {{ var('stalled_hours') }}
                )
            else {{ var('stalled_hours') }}
        end as allowed_hours
    from made
    group by next_stage

),

{# Content waits when nothing newer of its product has passed it; older content that was
   left behind is not waited for. #}
waiting as (

    select
        made.product_id,
        made.next_stage,
        usual.allowed_hours,
        min(made.came_at) as since,
        {{ hours_between('min(made.came_at)', 'build.as_of') }} as waiting_hours,
        count(*) as items
    from made
    inner join usual on made.next_stage = usual.next_stage
    cross join build
    where made.next_at is null
        and made.came_at <= build.as_of
        and (made.last_passed is null or made.came_at > made.last_passed)
    group by made.product_id, made.next_stage, usual.allowed_hours, build.as_of

),

{# Where a product waits in several places, the one furthest beyond what is usual. #}
standing as (

    select
        waiting.*,
        row_number() over (
            partition by product_id
            order by
                {{ significant('waiting_hours / allowed_hours') }} desc,
                case next_stage
                    when 'script' then 1
                    when 'asset' then 2
                    when 'experiment' then 3
                    when 'post' then 4
                    when 'metric' then 5
                end
        ) as choice
    from waiting

),

final as (

    select
        products.product_id,
        products.product_created_at,
        products.scripts,
        products.assets,
        products.experiments,
        products.posts,
        products.posts_with_metric,
        medians.product_to_script_hours,
        medians.script_to_asset_hours,
        medians.asset_to_experiment_hours,
        medians.experiment_to_post_hours,
        medians.post_to_metric_hours,
        products.last_progress_at,
        standing.next_stage as stalled_at,
        standing.items as stalled_items,
        standing.waiting_hours as stalled_hours,
        standing.allowed_hours,
        coalesce(standing.waiting_hours > standing.allowed_hours, false) as is_stalled,
        products.known_at,
        standing.since as stalled_since
    from products
    left join medians on products.product_id = medians.product_id
    left join standing
        on products.product_id = standing.product_id
        and standing.choice = 1

)

select * from final
