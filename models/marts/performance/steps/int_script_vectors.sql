{{ config(materialized='table' if target.type == 'spark' else 'view') }}

{# The embeddings of scripts that were posted, as vectors of length 1, and when they counted. A
   view, because it has one reader, which reads it once: vectors are not written a second time. On
   Spark it is a table, since its steps are kept while it is made. #}
with

scripts_of_posts as (

    select
        embeddings.reference_id as script_id,
        embeddings.*
    from {{ ref('valid_embeddings') }} as embeddings
    inner join
        {{ ref('reference_types') }} as types
        on embeddings.reference_type = types.reference_type
    where types.table_name = 'scripts'
        and embeddings.reference_id in (
            select posts.script_id from {{ ref('int_feature_identity') }} as posts
        )

),

parsed as {{ computed_once() }} (

    select
        script_id,
        coalesce({{ json_text('metadata', 'model') }}, '') as model,
        {{ parse_vector('embedding') }} as vector,
        known_at,
        _known_at,
        _load_id,
        _position
    from scripts_of_posts

),

well_formed as {{ computed_once() }} (

    select
        parsed.*,
        {{ vector_norm('vector') }} as norm
    from parsed
    where vector is not null

),

{# Vectors of length 1; a vector of zeros has no direction. #}
usable as {{ computed_once() }} (

    select
        script_id,
        model,
        {{ vector_size('vector') }} as size,
        {{ vector_unit('vector') }} as vector,
        known_at,
        _known_at,
        _load_id,
        _position
    from well_formed
    where norm > 0

),

final as (

    select
        script_id,
        model,
        size,
        vector,
        known_from,
        known_to,
        row_number() over (order by script_id, model, size, known_from) as vector_id
    from (
        {{ known_versions('usable', ['script_id', 'model', 'size'], ['vector']) }}
    ) as versions

)

select * from final
