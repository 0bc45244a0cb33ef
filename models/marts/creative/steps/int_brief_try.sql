{{ config(materialized='view') }}

with

gaps as (

    select * from {{ ref('experiment_gaps') }}

),

patterns as (

    select * from {{ ref('int_pattern_words') }}

),

{# A brief does not suggest to try elsewhere what it warns of. #}
warned as (

    select
        product_id,
        pattern_id
    from {{ ref('int_brief_patterns') }}
    where posts_here > 0
        and (wears_out or does_worse)

),

{# Nor what it warns of otherwise: tags that go along with fewer views, hooks that are worn. #}
hurting as (

    select distinct
        effects.product_id,
        pattern_tags.pattern_id
    from {{ ref('int_brief_effects') }} as effects
    inner join {{ ref('int_pattern_tags') }} as pattern_tags
        on effects.kind = pattern_tags.kind
        and effects.tag = pattern_tags.tag
    where effects.list = 'hurts'
        and effects.place <= 4

),

repeated as (

    select
        product_id,
        said_of_anything as said
    from {{ ref('int_repeated_hooks') }}
    where place <= 3

),

{# One suggestion for each pattern: where it promises most. #}
suggested as (

    select
        gaps.*,
        row_number()
            over (partition by gaps.product_id, gaps.pattern_id order by gaps.rank)
            as choice
    from gaps
    left join warned
        on gaps.product_id = warned.product_id
        and gaps.pattern_id = warned.pattern_id
    left join hurting
        on gaps.product_id = hurting.product_id
        and gaps.pattern_id = hurting.pattern_id
    where warned.pattern_id is null
        and hurting.pattern_id is null

),

placed as (

    select
        suggested.*,
        patterns.hook,
        patterns.structure,
        patterns.look,
        patterns.feel,
        row_number() over (partition by suggested.product_id order by suggested.rank) as place
    from suggested
    inner join patterns on suggested.pattern_id = patterns.pattern_id
    left join repeated
        on suggested.product_id = repeated.product_id
        and {{ ascii_lower('patterns.hook') }} = repeated.said
    where suggested.choice = 1
        and repeated.said is null

),

{# That the product is trending is said elsewhere in the brief. #}
phrased as (

    select
        *,
        {{ shortened('platform', 30) }} as platform_name,
        replace(
            replace(reason, ' The product is trending up.', ''),
            ' The product is trending down.', ''
        ) as why
    from placed
    where place <= 3

),

final as (

    select
        product_id,
        'try' as list,
        place,
        {{ document_text({
            'pattern_id': quoted_json(as_text('pattern_id')),
            'platform': quoted_json('platform_name'),
            'hook': quoted_json('hook'),
            'structure': quoted_json('structure'),
            'look': quoted_json('look'),
            'feel': quoted_json('feel'),
            'reason': quoted_json(shortened('why', 240)),
        }) }} as item,
        cast(null as {{ type_text() }}) as words
    from phrased

)

select * from final
