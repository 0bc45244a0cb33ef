with

versions as (

    select * from {{ ref('valid_published_posts') }}

),

final as (

    select
        post_id,
        experiment_id,
        platform,
        external_post_id,
        published_at,
        caption,
        hashtags,
        workflow_id,
        correlation_id,
        created_at,
        known_at,
        _known_at,
        _valid_from,
        _state_from,
        _source,
        _load_id,
        _position,
        _build,
        _changed_build
    from versions
    where is_accepted

)

select * from final
