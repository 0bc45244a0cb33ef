with

vectors as (

    select * from {{ ref('int_vectors') }}

),

compared as (

    select distinct
        reference_type,
        reference_id,
        model
    from {{ ref('similar_items') }}

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
        counted.known_at
    from counted
    left join neighbourly
        on counted.reference_type = neighbourly.reference_type
        and counted.model = neighbourly.model

)

select * from final
