{{ config(materialized='view') }}

with

patterns_used as (

    select * from {{ ref('int_brief_patterns') }}
    where posts_here > 0

),

hurting_effects as (

    select * from {{ ref('int_brief_effects') }}
    where list = 'hurts'
        and place <= 3
        and confidence <> 'uncertain'

),

repeated_hooks as (

    select * from {{ ref('int_repeated_hooks') }}
    where place <= 3

),

{# Patterns are told by their look: others may open with the same hook, and do well. #}
worn_out as (

    select
        product_id,
        rank as choice,
        'The pattern '
        || described
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
        || described
        || case when lift_hi < 0 then ' does' else ' may do' end
        || ' worse than usual: over '
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

repeated as (

    select
        product_id,
        place as choice,
        'The hook "'
        || hook
        || '" opens '
        || cast(scripts as {{ type_text() }})
        || ' scripts of this product already; say it differently.' as warning
    from repeated_hooks

),

fewer_views as (

    select
        product_id,
        1 as choice,
        'Fewer views go along with '
        || {{ joined_text('words', ', ', 'place') }}
        || '.' as warning
    from hurting_effects
    group by product_id

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
        cast(null as {{ type_text() }}) as words
    from in_turn
    where place <= 6

)

select * from final
