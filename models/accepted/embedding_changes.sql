{# What int_vectors has to make anew: an embedding whose rows were decided again. #}
with

versions as (

    select * from {{ ref('int_embeddings') }}

),

final as (

    select
        embedding_id,
        _build
    from versions

)

select * from final
