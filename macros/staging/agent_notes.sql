{# Agent notes of the sources given, named and cast. #}
{% macro staged_agent_notes(sources) %}
with

landed as (
    {{ landed(sources, 'agent_notes', [
        'note_id', 'agent_name', 'topic', 'content', 'importance', 'embedding', 'created_at'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('note_id', 'uuid') }} as note_id,

        -- text
        agent_name,
        topic,
        content,
        embedding,

        -- numbers
        importance,

        -- timestamps
        created_at
    from landed

)

select * from renamed
{% endmacro %}
