with

versions as (

    select * from {{ ref('int_published_posts') }}

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
        coalesce(created_at, _first_known_at) as created_at,
        _verdict = 'accepted' as is_accepted,
        _effective_at as known_at,
        _known_at,
        _valid_from,
        _state_from,
        _source,
        _load_id,
        _position,
        _build,
        _changed_build
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
