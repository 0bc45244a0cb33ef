with

versions as (

    select * from {{ ref('int_embeddings') }}

),

accepted as (

    select
        embedding_id,
        reference_type,
        reference_id,
        embedding,
        coalesce(metadata, {{ empty_object() }}) as metadata,
        coalesce(created_at, _first_known_at) as created_at
    from versions
    where _verdict = 'accepted'

)

select * from accepted
