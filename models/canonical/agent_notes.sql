with

versions as (

    select * from {{ ref('int_agent_notes') }}

),

accepted as (

    select
        note_id,
        agent_name,
        topic,
        content,
        importance,
        embedding,
        coalesce(created_at, _first_known_at) as created_at
    from versions
    where _verdict = 'accepted'

)

select * from accepted
