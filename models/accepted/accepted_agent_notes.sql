with

versions as (

    select * from {{ ref('int_agent_notes') }}

),

final as (

    select
        note_id,
        agent_name,
        topic,
        content,
        importance,
        embedding,
        coalesce(created_at, _first_known_at) as created_at,
        _effective_at as known_at,
        _known_at,
        _valid_from,
        _source,
        _load_id,
        _position,
        _build,
        _changed_build
    from versions
    where _verdict = 'accepted'

)

select * from final
