{{ config(materialized='table') }}

{# How alike the script of a post is to those of its product that were out when it went out. #}
with

posts as (

    select
        post_id,
        platform,
        product_id,
        script_id,
        published_at,
        {{ epoch_us('published_at') }} as at_us
    from {{ ref('int_feature_identity') }}

),

publications as (

    select * from {{ ref('int_feature_publications') }}

),

vectors as {{ computed_once() }} (

    select * from {{ ref('int_script_vectors') }}

),

{# The newest vector of the post's own script. #}
own_vectors as {{ computed_once() }} (

    select *
    from (
        select
            posts.post_id,
            posts.product_id,
            posts.at_us,
            vectors.script_id,
            vectors.vector_id,
            vectors.model,
            vectors.size,
            row_number() over (
                partition by posts.post_id
                order by vectors.known_from desc, vectors.size asc, md5(vectors.model) asc
            ) as choice
        from posts
        inner join vectors
            on posts.script_id = vectors.script_id
            and {{ counts_at('vectors', 'posts.published_at') }}
    ) as ranked
    where choice = 1

),

{# Scripts that were out, as they were then: by the vector in force when a post with it
   was first known or, later, the first there was. #}
first_uses as (

    select
        product_id,
        script_id,
        min(from_us) as from_us
    from publications
    group by product_id, script_id

),

first_vectors as (

    select
        first_uses.product_id,
        first_uses.script_id,
        vectors.model,
        vectors.size,
        vectors.vector_id,
        greatest(first_uses.from_us, {{ epoch_us('vectors.known_from') }}) as from_us,
        row_number() over (
            partition by first_uses.product_id, first_uses.script_id, vectors.model, vectors.size
            order by vectors.known_from
        ) as choice
    from first_uses
    inner join vectors on first_uses.script_id = vectors.script_id
    where vectors.known_to is null or {{ epoch_us('vectors.known_to') }} > first_uses.from_us

),

published_vectors as {{ computed_once() }} (

    select
        first_vectors.*,
        row_number()
            over (partition by product_id, model, size order by from_us, script_id)
            as place
    from first_vectors
    where choice = 1

),

{# How many of its product were out when a post went out: it is compared with the latest
   of them. #}
placed as {{ computed_once() }} (

    select
        post_id,
        script_id,
        product_id,
        model,
        size,
        vector_id,
        place
    from (
        select
            post_id,
            script_id,
            product_id,
            model,
            size,
            vector_id,
            sum(is_vector) over (partition by product_id, model, size order by at_us) as place
        from (
            select
                cast(null as {{ type_uuid() }}) as post_id,
                script_id,
                product_id,
                model,
                size,
                vector_id,
                from_us as at_us,
                1 as is_vector
            from published_vectors
            union all
            select
                post_id,
                script_id,
                product_id,
                model,
                size,
                vector_id,
                at_us,
                0 as is_vector
            from own_vectors
        ) as stream
    ) as counted_vectors
    where post_id is not null

),

own_ranges as (

    select
        vector_id,
        script_id,
        product_id,
        model,
        size,
        min(place) - {{ var('similarity_scripts') }} as after_place,
        max(place) as last_place
    from placed
    group by vector_id, script_id, product_id, model, size

),

pairs as {{ computed_once() }} (

    select
        own_ranges.vector_id,
        own_ranges.product_id,
        published_vectors.vector_id as other_id,
        published_vectors.place
    from own_ranges
    inner join published_vectors
        on own_ranges.product_id = published_vectors.product_id
        and own_ranges.model = published_vectors.model
        and own_ranges.size = published_vectors.size
        and own_ranges.script_id <> published_vectors.script_id
        and own_ranges.after_place < published_vectors.place
        and own_ranges.last_place >= published_vectors.place

),

cosines as (

    select
        pairs.vector_id,
        pairs.product_id,
        pairs.place,
        {{ unit_cosine('own_vector.vector', 'other_vector.vector') }} as cosine
    from pairs
    inner join vectors as own_vector on pairs.vector_id = own_vector.vector_id
    inner join vectors as other_vector on pairs.other_id = other_vector.vector_id

),

running as (

    select
        post_id,
        max(cosine) over (
            partition by vector_id, product_id order by place
            range between {{ var('similarity_scripts') - 1 }} preceding and current row
        ) as of_other_scripts
    from (
        select
            cast(null as {{ type_uuid() }}) as post_id,
            vector_id,
            product_id,
            cast(place as bigint) as place,
            cosine
        from cosines
        union all
        select
            post_id,
            vector_id,
            product_id,
            cast(place as bigint) as place,
            cast(null as {{ type_double() }}) as cosine
        from placed
    ) as stream

),

final as (

    select
        post_id,
        of_other_scripts as max_similarity_other_scripts
    from running
    where post_id is not null

)

select * from final
