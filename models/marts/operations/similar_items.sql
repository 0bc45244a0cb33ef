{#- Neighbours kept for an item, and blocks it looks into where not all pairs are compared. -#}
{%- set neighbours = 10 -%}
{%- set looks_into = 3 %}

with

vectors as (

    select
        reference_type,
        model,
        dimension,
        reference_id,
        unit_vector,
        known_at
    from {{ ref('int_vectors') }}
    where status = 'usable'

),

spaces as (

    select
        reference_type,
        model,
        dimension,
        count(*) as items,
        row_number() over (order by reference_type, count(*) desc, model, dimension) as space
    from vectors
    group by reference_type, model, dimension

),

placed as (

    select
        spaces.space,
        spaces.items,
        spaces.items <= {{ var('exact_similarity_items') }} as is_exact,
        vectors.reference_type,
        vectors.reference_id,
        vectors.unit_vector,
        vectors.known_at,
        row_number() over (
            partition by spaces.space
            order by md5(cast(vectors.reference_id as text)), vectors.reference_id
        ) as place
    from vectors
    inner join spaces
        on vectors.reference_type = spaces.reference_type
        and vectors.model = spaces.model
        and vectors.dimension = spaces.dimension

),

{# An item has one list: in the space that most items of its type are in. #}
listed as (

    select reference_type, reference_id, min(space) as space
    from placed
    group by reference_type, reference_id

),

{# Few enough items: every pair, once. #}
exact_pairs as (

    select
        one.space,
        one.reference_id as one_id,
        other.reference_id as other_id,
        {{ unit_cosine('one.unit_vector', 'other.unit_vector') }} as cosine,
        greatest(one.known_at, other.known_at) as known_at
    from placed as one
    inner join placed as other
        on one.space = other.space
        and one.place < other.place
    where one.is_exact

),

{# Too many: as many centres as the square root of the items, drawn by the hash of their
   keys, which is the same on every engine. Each item lives with its nearest centre and
   looks among those who live with its nearest ones. #}
nearness as (

    select
        items.space,
        items.reference_id,
        centres.place as centre,
        {{ unit_cosine('items.unit_vector', 'centres.unit_vector') }} as cosine
    from placed as items
    inner join placed as centres
        on items.space = centres.space
        and centres.place <= ceil(sqrt(cast(centres.items as {{ type_double() }})))
    where not items.is_exact

),

blocks as (

    select
        space,
        reference_id,
        centre,
        row_number() over (
            partition by space, reference_id
            order by round(cast(cosine * 1e9 as {{ type_double() }})) desc, centre
        ) as choice
    from nearness

),

block_pairs as (

    select
        looking.space,
        looking.reference_id as one_id,
        living.reference_id as other_id
    from blocks as looking
    inner join blocks as living
        on looking.space = living.space
        and looking.centre = living.centre
        and living.choice = 1
        and looking.reference_id <> living.reference_id
    where looking.choice <= {{ looks_into }}

),

blocked_pairs as (

    select
        block_pairs.space,
        block_pairs.one_id,
        block_pairs.other_id,
        {{ unit_cosine('one.unit_vector', 'other.unit_vector') }} as cosine,
        greatest(one.known_at, other.known_at) as known_at
    from block_pairs
    inner join placed as one
        on block_pairs.space = one.space
        and block_pairs.one_id = one.reference_id
    inner join placed as other
        on block_pairs.space = other.space
        and block_pairs.other_id = other.reference_id

),

pairs as (

    select space, one_id, other_id, cosine, true as is_exact, known_at from exact_pairs
    union all
    select space, other_id, one_id, cosine, true, known_at from exact_pairs
    union all
    select space, one_id, other_id, cosine, false, known_at from blocked_pairs

),

{# Cosines are compared to nine decimals: engines differ in the last bits of a sum. #}
ranked as (

    select
        listed.reference_type,
        pairs.space,
        pairs.one_id,
        pairs.other_id,
        pairs.cosine,
        pairs.is_exact,
        pairs.known_at,
        row_number() over (
            partition by pairs.space, pairs.one_id
            order by round(cast(pairs.cosine * 1e9 as {{ type_double() }})) desc, pairs.other_id
        ) as place
    from pairs
    inner join spaces on pairs.space = spaces.space
    inner join listed
        on spaces.reference_type = listed.reference_type
        and pairs.one_id = listed.reference_id
        and pairs.space = listed.space

),

final as (

    select
        ranked.reference_type,
        ranked.one_id as reference_id,
        ranked.other_id as neighbour_id,
        spaces.model,
        spaces.dimension,
        ranked.place as rank,
        ranked.cosine,
        {{ at_least('ranked.cosine', var('near_duplicate')) }} as is_near_duplicate,
        ranked.is_exact,
        ranked.known_at
    from ranked
    inner join spaces on ranked.space = spaces.space
    where ranked.place <= {{ neighbours }}

)

select * from final
