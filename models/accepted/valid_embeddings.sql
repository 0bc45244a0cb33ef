with

versions as (

    select * from {{ ref('int_embeddings') }}

),

final as (

    select
        embedding_id,
        reference_type,
        reference_id,
        embedding,
        coalesce(metadata, {{ empty_object() }}) as metadata,
        coalesce(created_at, _first_known_at) as created_at,
        given_reference_id,
        _verdict = 'accepted' as is_accepted,
        {{ accepted_bookkeeping(referenced=false) }}
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
