{{ config(materialized='view') }}

with

patterns as (

    select * from {{ ref('accepted_creative_patterns') }}

),

words as (

    select
        pattern_id,
        product_id,
        {{ shortened('hook_text', 120) }} as hook,
        replace({{ shortened('structure', 60) }}, '_', ' ') as structure,
        {{ shortened('replace(' ~ array_words('style_tags', ', ') ~ ", '_', ' ')", 80) }} as look,
        {{ shortened('replace(' ~ array_words('emotion_tags', ', ') ~ ", '_', ' ')", 80) }} as feel
    from patterns

),

final as (

    select
        pattern_id,
        product_id,
        hook,
        structure,
        look,
        feel,
        coalesce('"' || hook || '"', 'without a hook')
        || coalesce(' (' || nullif(concat_ws('; ', structure, look), '') || ')', '') as named,
        coalesce(
            '"' || nullif(concat_ws('; ', structure, look), '') || '"',
            '"' || hook || '"',
            'without words'
        ) as described
    from words

)

select * from final
