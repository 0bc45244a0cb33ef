{{ config(materialized='table') }}

{#- Posts of one script share what it is: many of them tell no more than so many scripts' posts. -#}
{%- set script_posts = var('script_posts') %}

with

outcomes as (

    select
        product_id,
        script_id,
        log_lift_72h
    from {{ ref('int_post_outcomes') }}
    where log_lift_72h is not null
        and product_id is not null
        and script_id is not null

),

script_tags as (

    select * from {{ ref('int_script_tags') }}

),

choice_tags as (

    select * from {{ ref('int_choice_tags') }}

),

effects as (

    select
        tag,
        {{ log_of_lift('adjusted_lift') }} as usual,
        {{ deviation_of_lift('adjusted_lo', 'adjusted_hi') }} as deviation
    from {{ ref('creative_tag_effects') }}
    where platform = 'all'
        and kind = 'variable'

),

scripts as {{ computed_once() }} (

    select
        product_id,
        script_id,
        count(*) as posts,
        {{ exact_mean('log_lift_72h') }} as mean,
        cast(1.0 + {{ script_posts }} as {{ type_double() }})
        * count(*)
        / (count(*) + {{ script_posts }}) as weight
    from outcomes
    group by product_id, script_id

),

{# How far posts lie apart, of whatever script. #}
spread as (

    select {{ sample_variance(
        'count(*)', exact_sum('log_lift_72h'), exact_sum('log_lift_72h * log_lift_72h')
    ) }} as variance
    from outcomes

),

chosen as {{ computed_once() }} (

    select
        scripts.*,
        choice_tags.tag,
        choice_tags.choice
    from scripts
    inner join script_tags on scripts.script_id = script_tags.script_id
    inner join choice_tags on script_tags.tags = choice_tags.choices

),

choosing as (

    select distinct
        product_id,
        script_id,
        choice,
        weight,
        mean
    from chosen

),

with_choice as (

    select
        product_id,
        choice,
        {{ exact_sum('weight') }} as weight,
        {{ exact_sum('weight * mean') }} as total
    from choosing
    group by product_id, choice

),

with_tag as (

    select
        product_id,
        choice,
        tag,
        cast(sum(posts) as bigint) as posts,
        {{ exact_sum('weight') }} as weight,
        {{ exact_sum('weight * mean') }} as total
    from chosen
    group by product_id, choice, tag

),

{# What the product's own posts say, beside those in which it chose otherwise. #}
compared as (

    select
        with_tag.product_id,
        with_tag.tag,
        with_tag.posts,
        with_tag.total / with_tag.weight
        - (with_choice.total - with_tag.total) / (with_choice.weight - with_tag.weight)
            as own_effect,
        spread.variance
        * (1 / with_tag.weight + 1 / (with_choice.weight - with_tag.weight)) as own_variance
    from with_tag
    inner join with_choice
        on with_tag.product_id = with_choice.product_id
        and with_tag.choice = with_choice.choice
    cross join spread
    where with_choice.weight - with_tag.weight > 1e-9
        and spread.variance is not null

),

{# What all products say: products differ around it as experiments do. #}
expected as (

    select
        compared.*,
        coalesce(effects.usual, 0) as usual,
        {{ var('lift_prior_sd') }} * {{ var('lift_prior_sd') }}
        + coalesce(effects.deviation * effects.deviation, 0) as usual_variance
    from compared
    left join effects on compared.tag = effects.tag

),

weighed as (

    select
        *,
        (usual * own_variance + own_effect * usual_variance) / (own_variance + usual_variance)
            as effect,
        sqrt(own_variance * usual_variance / (own_variance + usual_variance)) as deviation
    from expected

),

final as (

    select
        product_id,
        tag,
        posts,
        effect,
        effect - {{ z95() }} * deviation as effect_lo,
        effect + {{ z95() }} * deviation as effect_hi,
        {{ normal_below('(effect / deviation)') }} as chance_to_help
    from weighed

)

select * from final
