{%- set columns = [
    'agent_name', 'topic', 'content', 'importance', 'embedding', 'created_at',
] -%}

{{ looked_up_by(['note_id', '_changed_build']) }}

with

arrived as (
    {{ arrived('agent_notes', 'note_id', columns) }}

),

keyed as (

    select
        *,
        {{ own_key('agent_notes') }} as note_id
    from arrived

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'note_id', ['note_id'] + columns) }}

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when agent_name is null then 'missing_required: agent_name' end,
            case when content is null then 'missing_required: content' end,
            case when _source_key is null then 'missing_required: note_id' end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end
        ) as faults,
        cast(null as {{ type_text() }}) as _missing_reference,
        _known_at as known_since
    from candidates

),

{{ verdicts(
    'judged',
    key='note_id',
    columns=['note_id'] + columns,
    compared=columns,
) }}
