with

versions as (

    select * from {{ ref('int_published_posts') }}

),

accepted as (

    select
        post_id,
        experiment_id,
        platform,
        external_post_id,
        published_at
    from versions
    where _verdict = 'accepted'

)

select * from accepted
