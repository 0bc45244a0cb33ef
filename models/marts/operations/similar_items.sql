{{ config(
    materialized='incremental',
    incremental_strategy='differences',
    unique_key=['reference_type', 'reference_id', 'neighbour_id'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['int_vectors']) }}",
) }}

{#- Neighbours kept for an item. -#}
{%- set neighbours = 10 -%}
{%- set double = type_double() -%}
{%- set found_nearness = nearness(
    unit_cosine('one.unit_vector', 'other.unit_vector'), 'other.item'
) -%}

with

vectors as {{ inlined() }} (

    select * from {{ ref('int_vectors') }}

),

usable as (

    select
        embedding_id,
        reference_type,
        model,
        dimension,
        reference_id,
        known_at,
        {{ '_build > ' ~ consumed_build() if is_incremental() else 'true' }} as is_new,
        row_number() over (
            partition by reference_type, model, dimension
            order by known_at desc, created_at desc, reference_id asc
        ) as newness
    from vectors
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
    from usable
    group by reference_type, model, dimension

),

located as (

    select
        usable.*,
        spaces.space,
        spaces.items,
        spaces.space = min(spaces.space) over (
            partition by usable.reference_type, usable.reference_id
        ) as is_listed
    from usable
    inner join spaces
        on usable.reference_type = spaces.reference_type
        and usable.model = spaces.model
        and usable.dimension = spaces.dimension

),

{# Items have one number over all spaces, in the order of their keys. An item has one list: in
   the space that most items of its type are in. #}
placed as {{ computed_once() }} (

    select
        space,
        items <= {{ compared_items() }} as is_exact,
        is_listed,
        is_new,
        embedding_id,
        reference_type,
        model,
        dimension,
        reference_id,
        known_at,
        {{ vector_name('reference_id') }} as name,
        row_number() over (order by space, reference_id) as item
    from located
    where newness <= {{ compared_items() }}

),

{% if is_incremental() -%}
before as (

    select
        {{ vector_name('reference_id') }} as name,
        {{ vector_name('neighbour_id') }} as neighbour_name,
        cosine
    from {{ this }}

),

kept as {{ computed_once() }} (

    select
        item.item as one,
        neighbour.item as other,
        before.cosine,
        item.is_listed and not item.is_new and not neighbour.is_new as is_as_it_was
    from before
    inner join placed as item on before.name = item.name
    left join placed as neighbour on before.neighbour_name = neighbour.name

),

{# A list of which nothing changed or went away holds but for what is new. #}
held as {{ computed_once() }} (

    select
        one as item,
        count(*) as listed,
        min({{ nearness('cosine', 'other') }}) as last_nearness
    from kept
    group by one
    having bool_and(coalesce(is_as_it_was, false))

),

{% endif -%}
{# All others are compared with every item. #}
sought as (

    select
        {{ over_cores() -}} placed.space,
        placed.item,
        vectors.unit_vector
    from placed
    inner join vectors on placed.embedding_id = vectors.embedding_id
    where placed.is_listed
        and {{ 'placed.item not in (select held.item from held)' if is_incremental() else 'true' }}

),

others as (

    select
        placed.space,
        placed.item,
        vectors.unit_vector
    from placed
    inner join vectors on placed.embedding_id = vectors.embedding_id

),

{# The condition on spaces is none that engines join by: DuckDB would copy a vector for each
   pair. #}
found as (

    select
        one.item,
        {{ largest(found_nearness, neighbours) }} as nearest
    from sought as one
    inner join others as other
        on one.space - other.space = 0
        and one.item <> other.item
    group by one.item

),

found_pairs as (

    select
        item as one,
        {{ nearest_item('nearness') }} as other
    from (
        select
            item,
            {{ array_elements('nearest') }} as nearness
        from found
    ) as elements

),

{% if is_incremental() -%}
{# What is new may be nearer than what a list holds. #}
holding as (

    select
        others.*,
        held.listed,
        held.last_nearness
    from others
    inner join held on others.item = held.item

),

arriving as (

    select others.*
    from others
    inner join placed on others.item = placed.item
    where placed.is_new

),

close as (

    select
        one.item as one,
        other.item as other,
        one.listed,
        one.last_nearness,
        {{ unit_cosine('one.unit_vector', 'other.unit_vector') }} as cosine
    from holding as one
    inner join arriving as other on one.space - other.space = 0

),

entering as (

    select
        one,
        other,
        cosine
    from close
    where listed < {{ neighbours }}
        or {{ nearness('cosine', 'other') }} > last_nearness

),

{% endif -%}
candidates as (

    select
        found_pairs.one,
        found_pairs.other,
        {{ unit_cosine('one.unit_vector', 'other.unit_vector') }} as cosine
    from found_pairs
    inner join others as one on found_pairs.one = one.item
    inner join others as other on found_pairs.other = other.item
    {%- if is_incremental() %}
    union all
    select
        kept.one,
        kept.other,
        kept.cosine
    from kept
    inner join held on kept.one = held.item
    union all
    select
        one,
        other,
        cosine
    from entering
    {%- endif %}

),

ranked as (

    select
        candidates.*,
        row_number() over (
            partition by one
            order by round(cast(cosine * 1e9 as {{ double }})) desc, other
        ) as place
    from candidates

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
