{{ config(materialized='view') }}

with

products as (

    select product_id from {{ ref('accepted_products') }}

),

patterns_used as (

    select * from {{ ref('int_brief_patterns') }}
    where posts_here > 0

),

effects as (

    select * from {{ ref('int_telling_effects') }}

),

{# How many scripts of a product open with the same words: these few are cleaned, not all. #}
scripts as (

    select
        product_id,
        {{ json_text('creative_variables', 'hook') }} as hook,
        count(*) as scripts
    from {{ ref('accepted_scripts') }}
    where {{ json_text('creative_variables', 'hook') }} is not null
    group by product_id, {{ json_text('creative_variables', 'hook') }}

),

hooks as (

    select
        product_id,
        scripts,
        {{ shortened('hook', 120) }} as hook
    from scripts

),

worn_out as (

    select
        product_id,
        rank as choice,
        'The pattern '
        || named
        || ' seems to wear out: its last {{ var("fatigue_uses") }} posts did worse'
        || ' than its first {{ var("fatigue_uses") }}.' as warning
    from patterns_used
    where wears_out

),

{# The worst first. #}
worse as (

    select
        product_id,
        -rank as choice,
        'The pattern '
        || named
        || case when lift_hi < 0 then ' does' else ' may do' end
        || ' worse than the usual: over '
        || {{ counted('lift_posts', 'post') }}
        || ', expect about '
        || {{ change_text('shrunk_lift') }}
        || ' views ('
        || {{ likely_text('lift_lo', 'lift_hi') }}
        || ').' as warning
    from patterns_used
    where does_worse
        and not wears_out

),

repeated_hooks as (

    select
        product_id,
        min(hook) as hook,
        cast(sum(scripts) as bigint) as scripts,
        row_number() over (
            partition by product_id order by sum(scripts) desc, {{ ascii_lower('hook') }}
        ) as choice
    from hooks
    where hook is not null
    group by product_id, {{ ascii_lower('hook') }}
    having sum(scripts) >= 3

),

repeated as (

    select
        product_id,
        choice,
        'The hook "'
        || hook
        || '" opens '
        || cast(scripts as text)
        || ' scripts of this product already; say it differently.' as warning
    from repeated_hooks
    where choice <= 3

),

hurting as (

    select string_agg(spoken, ', ' order by place) as spoken
    from effects
    where shrunk_lift < 0
        and place <= 3

),

fewer_views as (

    select
        products.product_id,
        1 as choice,
        'What goes along with fewer views: ' || hurting.spoken || '.' as warning
    from products
    cross join hurting
    where hurting.spoken is not null

),

warnings as (

    select
        *,
        1 as urgency
    from worn_out
    union all
    select
        *,
        2 as urgency
    from worse
    union all
    select
        *,
        3 as urgency
    from repeated
    union all
    select
        *,
        4 as urgency
    from fewer_views

),

{# The first warning of each sort, then the second of each. #}
ranked as (

    select
        product_id,
        urgency,
        warning,
        row_number() over (partition by product_id, urgency order by choice, warning) as choice
    from warnings

),

in_turn as (

    select
        product_id,
        warning,
        row_number() over (partition by product_id order by choice, urgency, warning) as place
    from ranked

),

final as (

    select
        product_id,
        'avoid' as list,
        place,
        {{ quoted_json('warning') }} as item,
        cast(null as text) as words
    from in_turn
    where place <= 6

)

select * from final
