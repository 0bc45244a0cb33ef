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
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict = 'accepted'

)

select * from final
