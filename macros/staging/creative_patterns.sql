{# Creative patterns of the sources given, named and cast. #}
{% macro staged_creative_patterns(sources) %}
with

landed as (
    {{ landed(sources, 'creative_patterns', [
        'pattern_id', 'product_id', 'hook_text', 'structure', 'style_tags', 'emotion_tags',
        'notes', 'observed_performance', 'created_at'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('pattern_id', 'uuid') }} as pattern_id,
        {{ as_kind('product_id', 'uuid') }} as product_id,

        -- text
        hook_text,
        structure,
        notes,

        -- tags
        style_tags,
        emotion_tags,

        -- documents
        {{ as_kind('observed_performance', 'json') }} as observed_performance,

        -- timestamps
        created_at
    from landed

)

select * from renamed
{% endmacro %}
