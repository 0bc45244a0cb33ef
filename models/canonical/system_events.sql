with

accepted as (

    select * from {{ ref('accepted_system_events') }}

),

final as (

    select
        event_id,
        agent_name,
        event_type,
        payload,
        created_at
    from accepted

)

select * from final
