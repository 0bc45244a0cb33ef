{# Creative experiments of the sources given, named and cast. #}
{% macro staged_experiments(sources) %}
with

landed as (
    {{ landed(sources, 'experiments', [
        'experiment_id', 'product_id', 'script_id', 'asset_id', 'created_at', 'hypothesis',
        'variation_label'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('experiment_id', 'uuid') }} as experiment_id,
        {{ as_kind('product_id', 'uuid') }} as product_id,
        {{ as_kind('script_id', 'uuid') }} as script_id,
        {{ as_kind('asset_id', 'uuid') }} as asset_id,

        -- text
        hypothesis,
        variation_label,

        -- timestamps
        created_at
    from landed

)

select * from renamed
{% endmacro %}
