{{ config(materialized='table') }}

with

products as (

    select product_id from {{ ref('accepted_products') }}

),

effects as (

    select * from {{ ref('int_telling_effects') }}

),

choices as (

    select * from {{ ref('int_product_choices') }}
    where posts >= {{ var('gap_trials') }}

),

patterns as (

    select
        product_id,
        pattern_id,
        {{ ascii_lower('hook') }} as said
    from {{ ref('int_brief_patterns') }}
    where works_place <= 3

),

pattern_tags as (

    select * from {{ ref('int_pattern_tags') }}

),

hooks as (

    select * from {{ ref('int_script_hooks') }}

),

script_tags as (

    select
        script_id,
        {{ array_elements('tags') }} as tag
    from {{ ref('int_script_tags') }}

),

{# What the product's own posts say, the surest first. #}
own as (

    select
        product_id,
        'variable' as kind,
        tag,
        {{ spoken_tag("'variable'", 'tag') }} as spoken,
        case when effect > 0 then 'helps' else 'hurts' end as list,
        exp(effect) - 1 as effect,
        exp(effect_lo) - 1 as effect_lo,
        exp(effect_hi) - 1 as effect_hi,
        posts,
        greatest(chance_to_help, 1 - chance_to_help) as chance,
        row_number() over (
            partition by product_id, effect > 0
            order by {{ significant('abs(chance_to_help - 0.5)') }} desc, tag
        ) as own_place
    from choices
    where {{ at_least('chance_to_help', var('brief_chance')) }}
        or {{ at_least('1 - chance_to_help', var('brief_chance')) }}

),

of_all as (

    select
        products.product_id,
        effects.kind,
        effects.tag,
        effects.spoken,
        effects.list,
        effects.shrunk_lift as effect,
        effects.shrunk_lo as effect_lo,
        effects.shrunk_hi as effect_hi,
        effects.posts_with as posts,
        effects.q_value,
        effects.place
    from products
    cross join effects
    left join own
        on products.product_id = own.product_id
        and effects.kind = own.kind
        and effects.tag = own.tag
    where own.product_id is null

),

{# A choice belongs to a hook when nearly all scripts that open with it make that choice. #}
hook_tags as (

    select
        openings.said_of_anything as said,
        script_tags.tag
    from (
        select
            hooks.*,
            count(*) over (partition by hooks.said_of_anything) as scripts
        from hooks
    ) as openings
    inner join script_tags on openings.script_id = script_tags.script_id
    group by openings.said_of_anything, openings.scripts, script_tags.tag
    having count(*) >= 0.8 * openings.scripts

),

recommended as (

    select distinct
        patterns.product_id,
        pattern_tags.kind,
        pattern_tags.tag
    from patterns
    inner join pattern_tags on patterns.pattern_id = pattern_tags.pattern_id
    union
    select
        patterns.product_id,
        'variable' as kind,
        hook_tags.tag
    from patterns
    inner join hook_tags on patterns.said = hook_tags.said

),

said as (

    select
        product_id,
        kind,
        tag,
        spoken,
        list,
        effect,
        effect_lo,
        effect_hi,
        posts,
        'this product' as evidence_from,
        chance,
        cast(null as {{ type_double() }}) as q_value,
        own_place as choice
    from own
    where own_place <= 3
    union all
    select
        product_id,
        kind,
        tag,
        spoken,
        list,
        effect,
        effect_lo,
        effect_hi,
        posts,
        'all products' as evidence_from,
        cast(null as {{ type_double() }}) as chance,
        q_value,
        3 + place as choice
    from of_all

),

{# A brief does not warn of what it recommends. #}
placed as (

    select
        said.*,
        row_number() over (partition by said.product_id, said.list order by said.choice) as place
    from said
    left join recommended
        on said.product_id = recommended.product_id
        and said.kind = recommended.kind
        and said.tag = recommended.tag
        and said.list = 'hurts'
    where recommended.product_id is null

),

phrased as (

    select
        *,
        {{ change_text('effect_lo') }} || ' to ' || {{ change_text('effect_hi') }} as span,
        case
            when q_value is not null
            then cast(greatest({{ whole('q_value * 1000') }}, 1) * 0.001 as decimal(18, 3))
        end as q,
        cast({{ whole('chance * 100') }} * 0.01 as decimal(18, 2)) as certain,
        case
            when q_value <= 0.05 or effect_lo > 0 or effect_hi < 0 then 'clear'
            when q_value is not null or {{ at_least('chance', 0.9) }} then 'likely'
            else 'possible'
        end as confidence
    from placed
    where place <= 5

),

final as (

    select
        product_id,
        list,
        place,
        {{ document_text({
            'what': quoted_json('spoken'),
            'views': quoted_json(change_text('effect')),
            'range': quoted_json('span'),
            'posts': 'cast(posts as text)',
            'evidence_from': quoted_json('evidence_from'),
            'chance': 'cast(certain as text)',
            'q': 'cast(q as text)',
            'confidence': quoted_json('confidence'),
        }) }} as item,
        spoken
        || case when evidence_from = 'this product' then ' (in its own posts)' else '' end
            as words,
        kind,
        tag,
        spoken,
        effect
    from phrased

)

select * from final
