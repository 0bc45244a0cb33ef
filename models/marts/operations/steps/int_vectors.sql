{{ config(
    materialized='incremental',
    incremental_strategy='differences_by_reference',
    unique_key=['embedding_id'],
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{%- set references = changed_references() %}

with

{% if is_incremental() -%}
changed as {{ computed_once() }} (

    {{ references }}

),

{% endif -%}
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
    {%- if is_incremental() %}
    where (reference_type, reference_id) in (
            select
                changed.reference_type,
                changed.reference_id
            from changed
        )
    {%- endif %}

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
        known_at,
        {{ build_number() }} as _build
    from judged

)

select * from final
