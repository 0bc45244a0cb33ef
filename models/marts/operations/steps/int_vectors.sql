{{ config(materialized='table') }}

with

embeddings as (

    select
        embedding_id,
        reference_type,
        reference_id,
        coalesce(
            nullif({{ json_text('metadata', 'model') }}, ''),
            nullif({{ json_text('metadata', 'embedding_model') }}, ''),
            'unknown'
        ) as model,
        {{ parse_vector('embedding') }} as vector,
        created_at,
        known_at
    from {{ ref('accepted_embeddings') }}

),

measured as (

    select
        embeddings.*,
        {{ vector_size('vector') }} as dimension,
        {{ vector_norm('vector') }} as norm
    from embeddings

),

{# Vectors that cannot be compared do not hide an older one that can. #}
judged as (

    select
        measured.*,
        case
            when vector is null then 'unreadable'
            when norm = 0 then 'zero'
            when row_number() over (
                    partition by reference_type, reference_id, model, dimension, norm > 0
                    order by created_at desc, embedding_id desc
                ) > 1
            then 'replaced'
            else 'usable'
        end as status
    from measured

),

final as (

    select
        embedding_id,
        reference_type,
        reference_id,
        model,
        dimension,
        status,
        case when status = 'usable' then {{ vector_unit('vector') }} end as unit_vector,
        created_at,
        known_at
    from judged

)

select * from final
