with

accepted as (

    select * from {{ ref('accepted_embeddings') }}

),

final as (

    select
        embedding_id,
        reference_type,
        reference_id,
        embedding,
        metadata,
        created_at
    from accepted

)

select * from final
