{# Trend snapshots of products of the sources given, named and cast. #}
{% macro staged_trend_snapshots(sources) %}
with

landed as (
    {{ landed(sources, 'trend_snapshots', [
        'snapshot_id', 'product_id', 'popularity_score', 'velocity_score', 'competition_score',
        'tiktok_trend_tags', 'raw_source_data', 'snapshot_time'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('snapshot_id', 'uuid') }} as snapshot_id,
        {{ as_kind('product_id', 'uuid') }} as product_id,

        -- numbers
        popularity_score,
        velocity_score,
        competition_score,

        -- tags
        tiktok_trend_tags,

        -- documents
        {{ as_kind('raw_source_data', 'json') }} as raw_source_data,

        -- timestamps
        snapshot_time
    from landed

)

select * from renamed
{% endmacro %}
