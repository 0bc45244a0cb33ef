{%- set columns = [
    'agent_name', 'event_type', 'payload', 'correlation_id', 'workflow_id', 'created_at',
] -%}

{{ looked_up_by(['event_id']) }}

with

arrived as (
    {{ arrived('system_events', 'event_id', columns) }}

),

keyed as (

    select
        *,
        {{ own_key('system_events') }} as event_id
    from arrived

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'event_id', ['event_id'] + columns) }}

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when agent_name is null then 'missing_required: agent_name' end,
            case when event_type is null then 'missing_required: event_type' end,
            case when _source_key is null then 'missing_required: event_id' end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end
        ) as faults,
        cast(null as {{ type_text() }}) as _missing_reference,
        _known_at as known_since
    from candidates

),

{{ verdicts(
    'judged',
    key='event_id',
    columns=['event_id'] + columns,
    compared=columns,
    referenced=false,
) }}
