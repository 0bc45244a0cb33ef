{# The end of a versioned table: what becomes of the rows of the CTE `rows`, which holds every row of
   each of their keys with

    faults              what is wrong with it, see faults.sql
    _missing_reference  the parent that is not there
    known_since         from when it is known with everything it rests on

   and `columns`, those of the result after the bookkeeping. `key_since` names another column than
   known_since where a later version of a parent must not move the time from which the key is valid.
   A version equal to the one before in `compared` is a repeat; versions are ordered by `newest_by`
   before the time they were known. `state` are columns of the accepted version that children read;
   a table no other refers to is not `referenced`. #}
{% macro verdicts(
    rows, key, columns, compared, newest_by=none, state=[], referenced=true, key_since='known_since'
) %}
{%- set columns = bookkeeping_of_rows() + ['_source_key'] + columns -%}
{{ decide(rows, key, columns, compared, newest_by, state, key_since) }}
{%- if referenced %},

{{ mark_changes(key, '_natural' in columns, state) }}
{%- endif %}

select
    decided.{{ columns | join(',\n    decided.') }},
    decided._verdict,
    decided._reasons,
    decided._fields,
    decided._missing_reference,
    decided._effective_at,
    decided._first_known_at,
    decided._valid_from,
    {%- if state %}
    decided._state_from,
    {%- endif %}
    decided._is_latest,
    {%- if referenced %}
    changes._changed_build,
    {%- endif %}
    {{ build_number() }} as _build
from decided
{%- if referenced %}
inner join changes
    on decided._load_id = changes._load_id and decided._position = changes._position
{%- endif %}
{% endmacro %}


{# Columns as they are compared, documents by their text. Postgres holds 1 and 1.0 to be the same
   JSON, its canonical text does not; DuckDB keeps the blanks of what landed, which what was folded
   into a document has not. #}
{% macro comparable(columns) -%}
    {%- set documents = document_columns() -%}
    {%- for column in columns -%}
        {%- if column not in documents -%}{{ column }}
        {%- else -%}{{ comparable_json(column) }}
        {%- endif -%}
        {{- ',\n                    ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# CTEs to `decided`: the verdict of every row from all versions of its key. The newest valid
   version is accepted, a repeat of its predecessor is a duplicate, older versions are
   superseded and newer invalid ones wait. Most keys have one version; only the others
   pay for the windows, and only rows with faults for arrays. #}
{% macro decide(rows, key, columns, compared, newest_by, state, key_since) %}
{%- set compared = comparable(compared) -%}
{%- set order = (newest_by ~ ' nulls first, ' if newest_by else '') ~ '_known_at, _load_id, _position' -%}
contested_keys as (

    select {{ key }} from {{ rows }} group by {{ key }} having count(*) > 1

),

versions as (

    select
        {{ rows }}.*,
        faults = '' as _is_valid,
        row_number() over by_version as _version,
        count(*) over (partition by {{ key }}) as _versions,
        min(_known_at) over (partition by {{ key }}) as _first_known_at,
        lag(_load_id) over by_version is not null
            and not (
                {{ record() }}(
                    faults = '',
                    {{ compared }}
                ) is distinct from lag({{ record() }}(
                    faults = '',
                    {{ compared }}
                )) over by_version
            ) as _is_repeat
    from {{ rows }}
    where {{ key }} in (select {{ key }} from contested_keys)
    window by_version as (partition by {{ key }} order by {{ order }})

),

rivals as (

    select
        versions.*,
        max(case when _is_valid and not _is_repeat then _version end)
            over (partition by {{ key }}) as _accepted_version,
        min(case when _is_valid and not _is_repeat then {{ key_since }} end)
            over (partition by {{ key }}) as _valid_from
        {%- if state %},
        min(case when _is_valid and not _is_repeat then known_since end)
            over (partition by {{ key }}, {{ state | join(', ') }}) as _state_from
        {%- endif %}
    from versions

),

decided as (

    select
        {{ columns | join(',\n        ') }},
        case when faults = '' then 'accepted' else 'quarantined' end as _verdict,
        {{ reasons_and_fields() }},
        _missing_reference,
        case when faults = '' then known_since end as _effective_at,
        _known_at as _first_known_at,
        case when faults = '' then {{ key_since }} end as _valid_from,
        {%- if state %}
        case when faults = '' then known_since end as _state_from,
        {%- endif %}
        true as _is_latest
    from {{ rows }}
    where not exists (
        select 1 from contested_keys where contested_keys.{{ key }} = {{ rows }}.{{ key }}
    )
    union all
    select
        {{ columns | join(',\n        ') }},
        case
            when _is_repeat then 'duplicate'
            when _version = _accepted_version then 'accepted'
            when _version < _accepted_version then 'superseded'
            else 'quarantined'
        end as _verdict,
        {{ reasons_and_fields() }},
        _missing_reference,
        case when _is_valid then known_since end as _effective_at,
        _first_known_at,
        _valid_from,
        {%- if state %}
        _state_from,
        {%- endif %}
        _version = _versions as _is_latest
    from rivals

)
{%- endmacro %}


{# What is wrong, as two columns: the reasons and the fields at fault. #}
{% macro reasons_and_fields() -%}
    case
            when faults = '' then {{ empty_array() }}
            else {{ reasons_in('faults') }}
        end as _reasons,
        case
            when faults = '' then {{ empty_array() }}
            else {{ all_matches('faults', ': ([a-z_]+)') }}
        end as _fields
{%- endmacro %}


{# CTEs to `changes`: the build in which a row last changed in a way its children can see:
   whether and from when its key is accepted, the state they read, or which key it names.
   A repeat that changes nothing does not wake the children. #}
{% macro mark_changes(key, natural, state) -%}
{%- if is_incremental() -%}
before as {{ computed_once() }} (

    select existing.*
    from {{ this }} as existing
    where existing.{{ key }} in (select {{ key }} from decided)

),

former as (

    select
        {{ key }},
        max(_valid_from) as _valid_from,
        {%- for column in state %}
        max(case when _verdict = 'accepted' then {{ column }} end) as {{ column }},
        {%- endfor %}
        max(_changed_build) as _changed_build
    from before
    group by {{ key }}

),

former_names as (

    select {{ key }}, _source_key{{ ', _natural' if natural }}, min({{ row_order() }}) as first_row
    from before
    group by {{ key }}, _source_key{{ ', _natural' if natural }}

),

current_names as (

    select {{ key }}, _source_key{{ ', _natural' if natural }}, min({{ row_order() }}) as first_row
    from decided
    group by {{ key }}, _source_key{{ ', _natural' if natural }}

),

{# A name that is new, or has an earlier row now, can lead elsewhere. #}
unchanged_names as (

    select current_names.*
    from current_names
    inner join former_names
        on current_names.{{ key }} = former_names.{{ key }}
        and current_names._source_key is not distinct from former_names._source_key
        {%- if natural %}
        and current_names._natural is not distinct from former_names._natural
        {%- endif %}
        and current_names.first_row = former_names.first_row

),

current_state as (

    select
        {{ key }},
        max(_valid_from) as _valid_from
        {%- for column in state %},
        max(case when _verdict = 'accepted' then {{ column }} end) as {{ column }}
        {%- endfor %}
    from decided
    group by {{ key }}

),

unchanged_keys as (

    select former.{{ key }}, former._changed_build
    from former
    inner join current_state
        on former.{{ key }} = current_state.{{ key }}
        and former._valid_from is not distinct from current_state._valid_from
        {%- for column in state %}
        and former.{{ column }} is not distinct from current_state.{{ column }}
        {%- endfor %}

),

changes as (

    select
        decided._load_id,
        decided._position,
        case
            when unchanged_names.{{ key }} is null then {{ build_number() }}
            else coalesce(unchanged_keys._changed_build, {{ build_number() }})
        end as _changed_build
    from decided
    left join unchanged_keys on decided.{{ key }} = unchanged_keys.{{ key }}
    left join unchanged_names
        on decided.{{ key }} = unchanged_names.{{ key }}
        and decided._source_key is not distinct from unchanged_names._source_key
        {%- if natural %}
        and decided._natural is not distinct from unchanged_names._natural
        {%- endif %}

)
{%- else -%}
changes as (

    select _load_id, _position, {{ build_number() }} as _changed_build
    from decided

)
{%- endif %}
{%- endmacro %}


{# Text that orders rows by when they were known, then by their place in landing. #}
{% macro row_order() -%}
    lpad(cast({{ epoch_us('_known_at') }} as {{ type_text() }}), 20, '0') || _load_id || lpad(cast(_position as {{ type_text() }}), 20, '0')
{%- endmacro %}
