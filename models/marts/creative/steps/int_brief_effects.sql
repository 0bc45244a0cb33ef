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
        script_tags.script_id,
        choice_tags.tag
    from {{ ref('int_script_tags') }} as script_tags
    inner join {{ ref('int_choice_tags') }} as choice_tags
        on script_tags.tags = choice_tags.choices

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
        effects.adjusted_lift as effect,
        effects.adjusted_lo as effect_lo,
        effects.adjusted_hi as effect_hi,
        effects.posts_with as posts,
        effects.chance,
        effects.q_value,
        effects.is_told,
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
        true as is_told,
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
        chance,
        q_value,
        is_told,
        3 + place as choice
    from of_all

),

{# A brief does not warn of what it recommends. #}
placed as (

    select
        said.*,
        row_number() over (partition by said.product_id, said.list order by said.choice) as place,
        row_number() over (
            partition by said.product_id, said.list, said.is_told order by said.choice
        ) as place_of_sort
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
        cast(least({{ whole('chance * 100') }}, 99) * 0.01 as decimal(18, 2)) as certain,
        case
            when not is_told then 'uncertain'
            {#- As it is read: a range from 0% on is none without 0. #}
            when {{ whole('effect_lo * 100') }} > 0 then 'clear'
            when {{ whole('effect_hi * 100') }} < 0 then 'clear'
            when {{ at_least('chance', 0.9) }} then 'likely'
            else 'possible'
        end as confidence
    from placed
    {#- Where little is told, up to two that may be chance. #}
    where case when is_told then place <= 5 else place <= 3 and place_of_sort <= 2 end

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
            'posts': as_text('posts'),
            'evidence_from': quoted_json('evidence_from'),
            'chance': as_text('certain'),
            'q': as_text('q'),
            'confidence': quoted_json('confidence'),
        }) }} as item,
        case
            when confidence <> 'uncertain' then
                {{ tag_in_a_sentence('kind', 'tag') }}
                || case when evidence_from = 'this product' then ' (in its own posts)' else '' end
        end as words,
        kind,
        tag,
        spoken,
        effect,
        confidence
    from phrased

)

select * from final
