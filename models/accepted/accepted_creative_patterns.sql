with

versions as (

    select * from {{ ref('int_creative_patterns') }}

),

final as (

    select
        pattern_id,
        product_id,
        hook_text,
        structure,
        coalesce(style_tags, {{ empty_array() }}) as style_tags,
        coalesce(emotion_tags, {{ empty_array() }}) as emotion_tags,
        notes,
        observed_performance,
        coalesce(created_at, _first_known_at) as created_at,
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict = 'accepted'

)

select * from final
