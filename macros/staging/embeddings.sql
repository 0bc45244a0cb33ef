{# Embeddings of the sources given, named and cast. #}
{% macro staged_embeddings(sources) %}
with

landed as (
    {{ landed(sources, 'embeddings', [
        'embedding_id', 'reference_type', 'reference_id', 'embedding', 'metadata', 'created_at'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('embedding_id', 'uuid') }} as embedding_id,
        {{ as_kind('reference_id', 'uuid') }} as given_reference_id,

        -- text
        lower({{ trimmed('reference_type') }}) as reference_type,
        embedding,

        -- documents
        {{ as_kind('metadata', 'json') }} as metadata,

        -- timestamps
        created_at
    from landed

)

select * from renamed
{% endmacro %}
