{{ config(materialized='view') }}

with

patterns as (

    select
        pattern_id,
        style_tags,
        emotion_tags,
        structure,
        known_at
    from {{ ref('accepted_creative_patterns') }}

),

named as (

    select
        pattern_id,
        'style' as kind,
        {{ array_elements('style_tags') }} as tag,
        known_at
    from patterns
    union all
    select
        pattern_id,
        'emotion',
        {{ array_elements('emotion_tags') }},
        known_at
    from patterns
    union all
    select
        pattern_id,
        'structure',
        structure,
        known_at
    from patterns

),

cleaned as (

    select
        pattern_id,
        kind,
        {{ ascii_lower(trimmed('tag')) }} as tag,
        known_at
    from named

),

final as (

    select distinct
        pattern_id,
        kind,
        tag,
        known_at
    from cleaned
    where length(tag) between 1 and {{ var('max_tag_length') }}

)

select * from final
