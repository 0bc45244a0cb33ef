{{ config(materialized='view') }}

with

arms as (

    select * from {{ ref('int_experiment_arms') }}

),

posts as (

    select * from {{ ref('int_post_outcomes') }}

),

metrics as (

    select 'log_views' as metric
    union all
    select 'engagement_rate' as metric

),

measured as (

    select
        experiment_id,
        product_id,
        platform,
        definition_era,
        'log_views' as metric,
        ln(1 + views_72h) as value
    from posts
    union all
    select
        experiment_id,
        product_id,
        platform,
        definition_era,
        'engagement_rate',
        engagement_rate_72h
    from posts

),

arm_sums as (

    select
        experiment_id,
        platform,
        definition_era,
        metric,
        count(value) as n,
        coalesce({{ exact_sum('value') }}, 0) as total,
        coalesce({{ exact_sum('value * value') }}, 0) as squares
    from measured
    group by experiment_id, platform, definition_era, metric

),

product_sums as (

    select
        product_id,
        platform,
        definition_era,
        metric,
        count(value) as n,
        coalesce({{ exact_sum('value') }}, 0) as total,
        coalesce({{ exact_sum('value * value') }}, 0) as squares
    from measured
    group by product_id, platform, definition_era, metric

),

platform_sums as (

    select
        platform,
        definition_era,
        metric,
        count(value) as n,
        coalesce({{ exact_sum('value') }}, 0) as total,
        coalesce({{ exact_sum('value * value') }}, 0) as squares
    from measured
    group by platform, definition_era, metric

),

shown as (

    select
        arms.experiment_id,
        arms.product_id,
        arms.platform,
        arms.definition_era,
        metrics.metric,
        coalesce(arm_sums.n, 0) as n,
        coalesce(arm_sums.total, 0) as total,
        coalesce(arm_sums.squares, 0) as squares
    from arms
    cross join metrics
    left join arm_sums
        on arms.experiment_id = arm_sums.experiment_id
        and arms.platform = arm_sums.platform
        and arms.definition_era = arm_sums.definition_era
        and metrics.metric = arm_sums.metric

),

{# The control is everything else the product, or else the platform, has shown. #}
others as (

    select
        shown.*,
        product_sums.n - shown.n as product_n,
        product_sums.total - shown.total as product_total,
        product_sums.squares - shown.squares as product_squares,
        platform_sums.n - shown.n as platform_n,
        platform_sums.total - shown.total as platform_total,
        platform_sums.squares - shown.squares as platform_squares,
        case
            when platform_sums.n >= {{ var('min_deviation_posts') }}
            then {{ sample_variance(
                'platform_sums.n', 'platform_sums.total', 'platform_sums.squares'
            ) }}
        end as platform_variance
    from shown
    left join product_sums
        on shown.product_id = product_sums.product_id
        and shown.platform = product_sums.platform
        and shown.definition_era = product_sums.definition_era
        and shown.metric = product_sums.metric
    left join platform_sums
        on shown.platform = platform_sums.platform
        and shown.definition_era = platform_sums.definition_era
        and shown.metric = platform_sums.metric

),

{# Posts with known views tell which of the two is the control, for either metric. #}
scopes as (

    select
        experiment_id,
        platform,
        case
            when product_n >= {{ var('min_product_posts') }} then 'product'
            when platform_n > 0 then 'platform'
        end as control_scope
    from others
    where metric = 'log_views'

),

compared as (

    select
        others.*,
        scopes.control_scope,
        case scopes.control_scope
            when 'product' then others.product_n
            when 'platform' then others.platform_n
            else 0
        end as control_n,
        case scopes.control_scope
            when 'product' then others.product_total
            when 'platform' then others.platform_total
            else 0
        end as control_total,
        case scopes.control_scope
            when 'product' then others.product_squares
            when 'platform' then others.platform_squares
            else 0
        end as control_squares
    from others
    inner join scopes
        on others.experiment_id = scopes.experiment_id
        and others.platform = scopes.platform

),

final as (

    select
        experiment_id,
        platform,
        metric,
        n,
        total,
        squares,
        {{ ratio('total', 'n') }} as mean,
        case
            when n >= {{ var('min_deviation_posts') }}
            then {{ sample_variance('n', 'total', 'squares') }}
        end as variance,
        control_scope,
        control_n,
        control_total,
        control_squares,
        {{ ratio('control_total', 'control_n') }} as control_mean,
        case
            when control_n >= {{ var('min_deviation_posts') }}
            then {{ sample_variance('control_n', 'control_total', 'control_squares') }}
        end as control_variance,
        platform_variance,
        {#- Of few posts the platform says more than they do: it counts for so many of them. #}
        (
            {{ squares_around_mean('n', 'total', 'squares') }}
            + {{ squares_around_mean('control_n', 'control_total', 'control_squares') }}
            + {{ var('min_deviation_posts') }} * platform_variance
        )
        / (greatest(n - 1, 0) + greatest(control_n - 1, 0) + {{ var('min_deviation_posts') }})
            as pooled_variance
    from compared

)

select * from final
