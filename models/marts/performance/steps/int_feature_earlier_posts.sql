{{ config(materialized='table') }}

{# What was known, when a post went out, of the posts published before it. An earlier post
   counts from when it is known, and for as long as it states the same publication. #}
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

versions as (

    {{ known_versions(ref('valid_published_posts'), ['post_id'], ['published_at']) }}

),

stated as (

    select
        posts.post_id,
        posts.platform,
        posts.product_id,
        posts.script_id,
        {{ epoch_us('versions.published_at') }} as published_us,
        greatest({{ epoch_us('versions.known_from') }}, {{ epoch_us('versions.published_at') }} + 1)
            as from_us,
        {{ epoch_us('versions.known_to') }} as to_us
    from versions
    inner join posts on versions.post_id = posts.post_id

),

earlier as (

    select * from stated
    where to_us is null or to_us > from_us

),

{# What a post stated of itself at its own publication, when that was corrected later: it
   is in the sums below and is taken out again. Anything else a post states counts after
   its publication only. #}
own as (

    select
        posts.post_id,
        count(*) as posts,
        sum(
            case
                when earlier.published_us + {{ 7 * 24 * 3600 * 1000000 }} >= posts.at_us then 1 else
                    0
            end
        )
            as posts_7d
    from posts
    inner join earlier
        on posts.post_id = earlier.post_id
        and posts.at_us >= earlier.from_us
        and posts.at_us < earlier.to_us
    group by posts.post_id

),

changes as (

    select
        cast(null as {{ type_uuid() }}) as post_id,
        product_id,
        platform,
        script_id,
        from_us as at_us,
        1 as change,
        1 as change_7d
    from earlier
    union all
    select
        cast(null as {{ type_uuid() }}) as post_id,
        product_id,
        platform,
        script_id,
        to_us as at_us,
        -1 as change,
        0 as change_7d
    from earlier
    where to_us is not null
    union all
    select
        cast(null as {{ type_uuid() }}) as post_id,
        product_id,
        platform,
        script_id,
        greatest(from_us, least(to_us, published_us + {{ 7 * 24 * 3600 * 1000000 + 1 }})) as at_us,
        0 as change,
        -1 as change_7d
    from earlier
    union all
    select
        post_id,
        product_id,
        platform,
        script_id,
        at_us,
        0 as change,
        0 as change_7d
    from posts

),

counted as (

    select
        post_id,
        sum(change) over (partition by product_id order by at_us) as posts_of_product,
        sum(change) over (partition by product_id, script_id order by at_us) as posts_of_script,
        sum(change_7d) over (partition by platform order by at_us) as posts_7d
    from changes

),

{# The last publication before: a running maximum of those that still stand; the few that
   were corrected later are looked up. #}
standing as (

    select
        post_id,
        max(published_us)
            over (partition by product_id order by at_us, is_post rows unbounded preceding)
            as published_us
    from (
        select
            cast(null as {{ type_uuid() }}) as post_id,
            product_id,
            from_us as at_us,
            0 as is_post,
            published_us
        from earlier
        where to_us is null
        union all
        select
            post_id,
            product_id,
            at_us,
            1 as is_post,
            null as published_us
        from posts
    ) as publications

),

corrected as (

    select
        posts.post_id,
        max(earlier.published_us) as published_us
    from posts
    inner join earlier
        on posts.product_id = earlier.product_id
        and posts.post_id <> earlier.post_id
        and posts.at_us >= earlier.from_us
        and posts.at_us < earlier.to_us
    group by posts.post_id

),

scripts_of_posts as (

    select
        embeddings.reference_id as script_id,
        embeddings.*
    from {{ ref('valid_embeddings') }} as embeddings
    inner join
        {{ ref('reference_types') }} as types
        on embeddings.reference_type = types.reference_type
    where types.table_name = 'scripts'
        and embeddings.reference_id in (select posts.script_id from posts)

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

    select * from parsed
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
    where {{ vector_norm('vector') }} > 0

),

vectors as {{ computed_once() }} (

    select
        *,
        row_number() over (order by script_id, model, size, known_from) as vector_id
    from (
        {{ known_versions('usable', ['script_id', 'model', 'size'], ['vector']) }}
    ) as versions

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
    from earlier
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

similarities as (

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
        posts.post_id,
        cast(
            posts.at_us
            - greatest(standing.published_us, corrected.published_us) as {{ type_double() }}
        )
        / 3600000000
            as hours_since_previous_post,
        cast(counted.posts_of_product - coalesce(own.posts, 0) as bigint)
            as posts_of_product_before,
        case
            when posts.script_id is not null then
                cast(counted.posts_of_script - coalesce(own.posts, 0) as bigint)
        end
            as posts_of_script_before,
        cast(counted.posts_7d - coalesce(own.posts_7d, 0) as bigint) as posts_on_platform_7d,
        case
            when similarities.post_id is not null
                and counted.posts_of_script - coalesce(own.posts, 0) > 0
            then cast(1 as {{ type_double() }})
            else similarities.of_other_scripts
        end as max_similarity,
        similarities.of_other_scripts as max_similarity_other_scripts
    from posts
    inner join counted on posts.post_id = counted.post_id
    inner join standing on posts.post_id = standing.post_id
    left join own on posts.post_id = own.post_id
    left join corrected on posts.post_id = corrected.post_id
    left join similarities on posts.post_id = similarities.post_id

)

select * from final
