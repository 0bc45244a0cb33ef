{{ config(materialized='table') }}

{# When a post stated which publication. An earlier post counts from when it is known, and
   for as long as it states the same publication. #}
with

posts as (

    select * from {{ ref('int_feature_identity') }}

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

final as (

    select * from stated
    where to_us is null or to_us > from_us

)

select * from final
