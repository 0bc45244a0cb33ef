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
        row_number()
            over (order by reference_type asc, count(*) desc, model asc, dimension asc)
            as space
    from vectors
    group by reference_type, model, dimension

),

{# Items have one number over all spaces, in the order of their keys, and are joined by
   nothing else: of a condition on two columns planners believe that the second leaves
   hardly a row of what the first found, and join by the first alone.
   An item has one list: in the space that most items of its type are in. #}
placed as {{ computed_once() }} (

    select
        spaces.space,
        spaces.items,
        spaces.items <= {{ var('exact_similarity_items') }} as is_exact,
        spaces.space = min(spaces.space) over (
            partition by vectors.reference_type, vectors.reference_id
        ) as is_listed,
        vectors.reference_type,
        vectors.model,
        vectors.dimension,
        vectors.reference_id,
        vectors.unit_vector,
        vectors.known_at,
        row_number() over (order by spaces.space, vectors.reference_id) as item,
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

{# Few enough items: every pair, once. #}
exact_pairs as {{ computed_once() }} (

    select
        one.item as one,
        other.item as other,
        one.is_listed as one_is_listed,
        other.is_listed as other_is_listed,
        {{ unit_cosine('one.unit_vector', 'other.unit_vector') }} as cosine
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
        items.item,
        centres.item as centre,
        centres.place,
        {{ unit_cosine('items.unit_vector', 'centres.unit_vector') }} as cosine
    from placed as items
    inner join placed as centres
        on items.space = centres.space
        and centres.place <= ceil(sqrt(cast(centres.items as {{ type_double() }})))
    where not items.is_exact

),

nearest as (

    select
        item,
        centre,
        row_number() over (
            partition by item
            order by round(cast(cosine * 1e9 as {{ type_double() }})) desc, place
        ) as choice
    from nearness

),

blocks as {{ computed_once() }} (

    select
        nearest.item,
        nearest.centre,
        nearest.choice,
        placed.is_listed,
        placed.unit_vector
    from nearest
    inner join placed on nearest.item = placed.item
    where nearest.choice <= {{ looks_into }}

),

blocked_pairs as (

    select
        looking.item as one,
        living.item as other,
        {{ unit_cosine('looking.unit_vector', 'living.unit_vector') }} as cosine
    from blocks as looking
    inner join blocks as living
        on looking.centre = living.centre
        and looking.item <> living.item
    where looking.is_listed
        and living.choice = 1

),

pairs as (

    select
        one,
        other,
        cosine
    from exact_pairs
    where one_is_listed
    union all
    select
        other,
        one,
        cosine
    from exact_pairs
    where other_is_listed
    union all
    select
        one,
        other,
        cosine
    from blocked_pairs

),

{# Cosines are compared to nine decimals: engines differ in the last bits of a sum. #}
ranked as (

    select
        pairs.*,
        row_number() over (
            partition by one
            order by round(cast(cosine * 1e9 as {{ type_double() }})) desc, other
        ) as place
    from pairs

),

final as (

    select
        item.reference_type,
        item.reference_id,
        neighbour.reference_id as neighbour_id,
        item.model,
        item.dimension,
        ranked.place as rank,
        ranked.cosine,
        {{ at_least('ranked.cosine', var('near_duplicate')) }} as is_near_duplicate,
        item.is_exact,
        greatest(item.known_at, neighbour.known_at) as known_at
    from ranked
    inner join placed as item on ranked.one = item.item
    inner join placed as neighbour on ranked.other = neighbour.item
    where ranked.place <= {{ neighbours }}

)

select * from final
