{# Scripts of the sources given, named and cast. #}
{% macro staged_scripts(sources) %}
with

landed as (
    {{ landed(sources, 'scripts', [
        'script_id', 'product_id', 'script_text', 'creative_variables', 'created_at', 'hook',
        'title', 'cta', 'outline', 'creative_pattern_id', 'trend_reference'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('script_id', 'uuid') }} as script_id,
        {{ as_kind('product_id', 'uuid') }} as product_id,

        -- text
        script_text,

        -- documents
        {{ json_fold(as_kind('creative_variables', 'json'), {
            'hook': 'hook',
            'title': 'title',
            'cta': 'cta',
            'outline': 'outline',
            'creativePatternId': 'creative_pattern_id',
            'trendReference': 'trend_reference',
        }) }} as creative_variables,

        -- timestamps
        created_at
    from landed

)

select * from renamed
{% endmacro %}
