{{ config(materialized='table') }}

{#- What the last part of an event type says where the taxonomy does not know the type. -#}
{%- set endings = {'start': 'start', 'success': 'success', 'error': 'error', 'retry': 'retry', 'end': 'end', 'abort': 'error'} %}

with

events as (

    select
        event_id,
        agent_name,
        event_type,
        payload,
        created_at,
        known_at
    from {{ ref('accepted_system_events') }}

),

taxonomy as (

    select * from {{ ref('event_taxonomy') }}

),

described as (

    select
        events.event_id,
        events.agent_name,
        events.event_type,
        events.created_at,
        events.known_at,
        nullif(
            coalesce(
                {{ json_text('events.payload', 'workflow_id') }},
                {{ json_text('events.payload', 'workflowId') }}
            ),
            ''
        ) as workflow_id,
        nullif(
            coalesce(
                {{ json_text('events.payload', 'correlation_id') }},
                {{ json_text('events.payload', 'correlationId') }}
            ),
            ''
        ) as correlation_id,
        nullif({{ json_text('events.payload', 'message') }}, '') as message,
        coalesce(
            nullif({{ json_text('events.payload', 'stage') }}, ''),
            taxonomy.stage,
            {{ first_match('events.event_type', '^([^.]+)') }}
        ) as stage,
        coalesce(
            taxonomy.outcome,
            case {{ first_match('events.event_type', '([^.]+)$') }}
                {%- for ending, outcome in endings.items() %}
                when '{{ ending }}' then '{{ outcome }}'
                {%- endfor %}
            end,
            'info'
        ) as outcome,
        coalesce({{ first_match('events.event_type', '^(.+)[.][^.]+$') }}, events.event_type)
            as family,
        coalesce({{ first_match('events.event_type', '([^.]+)$') }} = 'success', false)
            as needs_start,
        events.event_type in ('workflow.start', 'workflow.end', 'workflow.abort') as is_frame
    from events
    left join taxonomy on events.event_type = taxonomy.event_type

),

{# Some events of a run name only its correlation: they belong to the one workflow that
   names it too. #}
correlated as (

    select
        correlation_id,
        first_id as workflow_id
    from (
        select
            correlation_id,
            min(workflow_id) as first_id,
            max(workflow_id) as last_id
        from described
        where workflow_id is not null
            and correlation_id is not null
        group by correlation_id
    ) as named
    where first_id = last_id

),

final as (

    select
        described.event_id,
        described.agent_name,
        described.event_type,
        described.created_at,
        coalesce(described.workflow_id, correlated.workflow_id, described.correlation_id) as run_id,
        case
            when coalesce(described.workflow_id, correlated.workflow_id) is not null then
                'workflow_id'
            when described.correlation_id is not null then 'correlation_id'
        end as run_id_kind,
        described.stage,
        described.outcome,
        {# What a start and its outcome share: the stages of a workflow are told apart. #}
        case
            when described.family = 'workflow.stage' then described.family || '.' || described.stage
            else described.family
        end as task,
        described.family,
        described.needs_start,
        described.is_frame,
        described.message,
        {# Events of one moment are in the order of a life, then of their keys. #}
        row_number() over (
            order by
                described.created_at,
                case described.outcome
                    when 'start' then 0
                    when 'info' then 1
                    when 'error' then case when described.is_frame then 5 else 2 end
                    when 'retry' then 3
                    when 'success' then 4
                    else 5
                end,
                described.event_id
        ) as place,
        described.known_at
    from described
    left join correlated
        on described.correlation_id = correlated.correlation_id
        and described.workflow_id is null

)

select * from final
