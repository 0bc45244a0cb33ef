with

accepted as (

    select * from {{ ref('accepted_creative_patterns') }}

),

final as (

    select
        pattern_id,
        product_id,
        hook_text,
        structure,
        style_tags,
        emotion_tags,
        notes,
        observed_performance,
        created_at
    from accepted

)

select * from final
