{#- Neighbours of an item. -#}
{%- set neighbours = 10 -%}

with

vectors as (

    select * from {{ ref('int_vectors') }}

),

similar_items as (

    select * from {{ ref('similar_items') }}

),

compared as (

    select distinct
        reference_type,
        reference_id,
        model
    from similar_items

),

counted as (

    select
        reference_type,
        model,
        count(*) as embeddings,
        count(*) filter (where status = 'unreadable') as unreadable,
        count(*) filter (where status = 'zero') as zero,
        count(*) filter (where status = 'replaced') as replaced,
        count(*) filter (where status = 'usable') as usable,
        count(distinct case when status = 'usable' then dimension end) as dimensions,
        count(distinct case when status = 'usable' then reference_id end) as items,
        max(known_at) as known_at
    from vectors
    group by reference_type, model

),

neighbourly as (

    select
        reference_type,
        model,
        count(*) as items_with_neighbours
    from compared
    group by reference_type, model

),

{# Where not all items are compared: how many of the nearest of all are listed, of some items,
   drawn by the hash of their keys. An item that is listed in another model is none of them. #}
limited as (

    select
        reference_type,
        model,
        dimension
    from vectors
    where status = 'usable'
    group by reference_type, model, dimension
    having count(*) > {{ compared_items() }}

),

placed as {{ computed_once() }} (

    select
        vectors.reference_type,
        vectors.model,
        vectors.dimension,
        vectors.reference_id,
        vectors.unit_vector,
        row_number() over (order by vectors.reference_id) as item,
        row_number() over (
            partition by vectors.reference_type, vectors.model, vectors.dimension
            order by md5(cast(vectors.reference_id as {{ type_text() }})), vectors.reference_id
        ) as place
    from vectors
    inner join limited
        on vectors.reference_type = limited.reference_type
        and vectors.model = limited.model
        and vectors.dimension = limited.dimension
    where vectors.status = 'usable'
        and not exists (
            select 1 from similar_items
            where similar_items.reference_type = vectors.reference_type
                and similar_items.reference_id = vectors.reference_id
                and (
                    similar_items.model <> vectors.model
                    or similar_items.dimension <> vectors.dimension
                )
        )

),

nearest as (

    select
        one.reference_type,
        one.model,
        one.dimension,
        one.reference_id,
        {{ largest(nearness(unit_cosine('one.unit_vector', 'other.unit_vector'), 'other.item'),
            neighbours) }} as nearest
    from placed as one
    inner join placed as other
        on one.item <> other.item
        and one.reference_type = other.reference_type
        and one.model = other.model
        and one.dimension = other.dimension
    where one.place <= {{ var('recall_sample_items') }}
    group by one.reference_type, one.model, one.dimension, one.reference_id

),

nearest_pairs as (

    select
        pairs.reference_type,
        pairs.model,
        pairs.dimension,
        pairs.reference_id,
        placed.reference_id as neighbour_id
    from (
        select
            reference_type,
            model,
            dimension,
            reference_id,
            {{ array_elements('nearest') }} as nearness
        from nearest
    ) as pairs
    inner join placed on {{ nearest_item('pairs.nearness') }} = placed.item

),

recalled as (

    select
        reference_type,
        model,
        min(recall) as recall
    from (
        select
            pairs.reference_type,
            pairs.model,
            pairs.dimension,
            count(similar_items.rank) / cast(count(*) as {{ type_double() }}) as recall
        from nearest_pairs as pairs
        left join similar_items
            on pairs.reference_type = similar_items.reference_type
            and pairs.reference_id = similar_items.reference_id
            and pairs.neighbour_id = similar_items.neighbour_id
        group by pairs.reference_type, pairs.model, pairs.dimension
    ) as spaces
    group by reference_type, model

),

final as (

    select
        counted.reference_type,
        counted.model,
        counted.embeddings,
        counted.unreadable,
        counted.zero,
        counted.replaced,
        counted.usable,
        counted.dimensions,
        counted.items,
        coalesce(neighbourly.items_with_neighbours, 0) as items_with_neighbours,
        counted.known_at,
        case
            when neighbourly.items_with_neighbours > 0 then coalesce(recalled.recall, 1)
        end as recall
    from counted
    left join recalled
        on counted.reference_type = recalled.reference_type
        and counted.model = recalled.model
    left join neighbourly
        on counted.reference_type = neighbourly.reference_type
        and counted.model = neighbourly.model

)

select * from final
