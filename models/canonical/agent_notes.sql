with

accepted as (

    select * from {{ ref('accepted_agent_notes') }}

),

final as (

    select
        note_id,
        agent_name,
        topic,
        content,
        importance,
        embedding,
        created_at
    from accepted

)

select * from final
