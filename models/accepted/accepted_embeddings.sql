with

versions as (

    select * from {{ ref('valid_embeddings') }}

),

final as (

    select
        embedding_id,
        reference_type,
        reference_id,
        embedding,
        metadata,
        created_at,
        given_reference_id,
        known_at,
        _known_at,
        _valid_from,
        _source,
        _load_id,
        _position,
        _build
    from versions
    where is_accepted

)

select * from final
