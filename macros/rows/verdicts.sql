{# CTE `judged`: every candidate row with its parents' standing and what is wrong with it. #}
{% macro judge(key, natural, required, parents, counts, times, ranges, held, due_at) %}
{%- set missing_required = [] -%}
{%- set absent = {} -%}
{%- for one in parents if one.absent -%}{%- do absent.update({one.column: one.absent}) -%}{%- endfor -%}
{%- for column in required -%}
    {%- do missing_required.append([column, absent.get(column, 'candidates.' ~ column ~ ' is null')]) -%}
{%- endfor -%}
{%- if not natural -%}{%- do missing_required.append([key, 'candidates._source_key is null']) -%}{%- endif -%}
{%- set out_of_range = [] -%}
{%- for column in counts -%}
    {%- do out_of_range.append([
        column, '(candidates.' ~ column ~ ' < 0 or candidates.' ~ column ~ ' > ' ~ var('max_count') ~ ')'
    ]) -%}
{%- endfor -%}
{%- for column in times -%}
    {%- do out_of_range.append([
        column,
        '(candidates.' ~ column ~ " < cast('" ~ var('earliest_time') ~ "' as " ~ type_timestamptz() ~ ')'
        ~ ' or candidates.' ~ column ~ " > candidates._loaded_at + interval '24' hour)"
    ]) -%}
{%- endfor -%}
{%- for column, condition in ranges.items() -%}{%- do out_of_range.append([column, condition]) -%}{%- endfor -%}
{%- set missing_parent = [] -%}
{%- for one in parents -%}
    {%- do missing_parent.append([one.column, '(' ~ one.given ~ ' and (' ~ one.known ~ ') is null)', one.reference]) -%}
{%- endfor -%}
{%- set faults = missing_required + missing_parent + out_of_range -%}
flagged as (

    select
        candidates.*,
        {{ any_of(missing_required) }} as _missing_required,
        {{ any_of(missing_parent) }} as _missing_parent,
        {{ any_of(out_of_range) }} as _out_of_range,
        {{ 'coalesce(' ~ held ~ ', false)' if held else 'false' }} as _held,
        {{ field_names(faults) }} as _fields,
        {% if missing_parent -%}
        case
            {% for column, condition, reference in missing_parent -%}
            when {{ condition }} then {{ reference }}
            {% endfor -%}
        end as _missing_reference,
        {%- else -%}
        cast(null as text) as _missing_reference,
        {%- endif %}
        {{ known_since(parents, due_at, 'since') }} as _effective_if_valid,
        {{ known_since(parents, due_at, 'first_since') }} as _valid_if_valid
    from candidates
    cross join build
    {%- for one in parents %}
    {{ one.accepted }}
    {%- endfor %}

),

judged as {{ computed_once() }} (

    select
        flagged.*,
        not (_missing_required or _missing_parent or _out_of_range or _held) as _is_valid,
        case
            when _missing_required or _missing_parent or _out_of_range or _held then
                {{ array_compact([
                    "case when _missing_required then 'missing_required' end",
                    "case when _missing_parent then 'missing_parent' end",
                    "case when _out_of_range then 'out_of_range' end",
                    "case when _held then 'not_published_yet' end",
                ]) }}
            else {{ empty_array() }}
        end as _reasons
    from flagged

),
{% endmacro %}


{# From when a row is known with everything it rests on: its own known-at, the time its
   parents' keys first had a valid version, and that of a looked-up key (`clock`: of the
   one used, or of the first there was). #}
{% macro known_since(parents, due_at, clock) -%}
    greatest(
            candidates._known_at
            {%- if due_at %}, {{ due_at | replace('existing.', 'candidates.') }}{% endif -%}
            {%- for one in parents %}, {{ one.known }}
                {%- if one[clock] %}, candidates.{{ one[clock] }}{% endif -%}
            {%- endfor %}
        )
{%- endmacro %}


{% macro any_of(faults) -%}
    {%- if faults -%}
    coalesce({% for fault in faults %}({{ fault[1] }}){{ ' or ' if not loop.last }}{% endfor %}, false)
    {%- else -%}false{%- endif -%}
{%- endmacro %}


{# The columns at fault, in order; no array is built for the many rows without one. #}
{% macro field_names(faults) -%}
    {%- if faults -%}
    {%- set cases = [] -%}
    {%- for fault in faults -%}
        {%- do cases.append("case when " ~ fault[1] ~ " then '" ~ fault[0] ~ "' end") -%}
    {%- endfor -%}
    case
        when {{ any_of(faults) }} then {{ array_compact(cases) }}
        else {{ empty_array() }}
    end
    {%- else -%}{{ empty_array() }}{%- endif -%}
{%- endmacro %}


{# Columns as they are compared. Postgres holds 1 and 1.0 to be the same JSON, the
   canonical text does not. #}
{% macro comparable(columns) -%}
    {%- set documents = [
        'meta', 'metadata', 'payload', 'creative_variables', 'observed_performance', 'raw_source_data',
    ] -%}
    {%- for column in columns -%}
        {{ 'cast(' ~ column ~ ' as text)' if target.type == 'postgres' and column in documents else column }}
        {{- ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# CTE `decided`: the verdict of every row from all versions of its key. The newest valid
   version is accepted, a repeat of its predecessor is a duplicate, older versions are
   superseded and newer invalid ones wait. Most keys have one version; only the others
   pay for the windows. #}
{% macro decide(key, columns, newest_by, row_columns, state) %}
{%- set compared = comparable(columns) -%}
{%- set order = (newest_by ~ ' nulls first, ' if newest_by else '') ~ '_known_at, _load_id, _position' -%}
contested_keys as (

    select {{ key }} from judged group by {{ key }} having count(*) > 1

),

versions as (

    select
        judged.*,
        row_number() over by_version as _version,
        count(*) over (partition by {{ key }}) as _versions,
        min(_known_at) over (partition by {{ key }}) as _first_known_at,
        lag(_load_id) over by_version is not null
            and not (
                row(_is_valid, {{ compared }})
                is distinct from lag(row(_is_valid, {{ compared }})) over by_version
            )
            as _is_repeat
    from judged
    where {{ key }} in (select {{ key }} from contested_keys)
    window by_version as (partition by {{ key }} order by {{ order }})

),

rivals as (

    select
        versions.*,
        max(case when _is_valid and not _is_repeat then _version end)
            over (partition by {{ key }}) as _accepted_version,
        min(case when _is_valid and not _is_repeat then _valid_if_valid end)
            over (partition by {{ key }}) as _valid_from
        {%- if state %},
        min(case when _is_valid and not _is_repeat then _effective_if_valid end)
            over (partition by {{ key }}, {{ state | join(', ') }}) as _state_from
        {%- endif %}
    from versions

),

{%- set kept = row_columns + ['_reasons', '_fields', '_missing_reference'] %}
decided as (

    select
        {{ kept | join(', ') }},
        case when _is_valid then 'accepted' else 'quarantined' end as _verdict,
        case when _is_valid then _effective_if_valid end as _effective_at,
        _known_at as _first_known_at,
        case when _is_valid then _valid_if_valid end as _valid_from,
        {% if state -%}
        case when _is_valid then _effective_if_valid end as _state_from,
        {% endif -%}
        true as _is_latest
    from judged
    where not exists (
        select 1 from contested_keys where contested_keys.{{ key }} = judged.{{ key }}
    )
    union all
    select
        {{ kept | join(', ') }},
        case
            when _is_repeat then 'duplicate'
            when _version = _accepted_version then 'accepted'
            when _version < _accepted_version then 'superseded'
            else 'quarantined'
        end as _verdict,
        case when _is_valid then _effective_if_valid end as _effective_at,
        _first_known_at,
        _valid_from,
        {% if state -%}
        _state_from,
        {% endif -%}
        _version = _versions as _is_latest
    from rivals

),
{% endmacro %}


{# CTE `changes`: the build in which a row last changed in a way its children can see:
   whether and from when its key is accepted, the state they read, or which key it names.
   A repeat that changes nothing does not wake the children. #}
{% macro mark_changes(key, natural, state, incremental) %}
{%- if incremental -%}
former as (

    select
        {{ key }},
        max(_valid_from) as _valid_from,
        {% for column in state -%}
        max(case when _verdict = 'accepted' then {{ column }} end) as {{ column }},
        {% endfor -%}
        max(_changed_build) as _changed_build
    from of_touched_keys
    group by {{ key }}

),

former_names as (

    select {{ key }}, _source_key{{ ', _natural' if natural }}, min({{ row_order() }}) as first_row
    from of_touched_keys
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
            when unchanged_names.{{ key }} is null then build.build
            else coalesce(unchanged_keys._changed_build, build.build)
        end as _changed_build
    from decided
    cross join build
    left join unchanged_keys on decided.{{ key }} = unchanged_keys.{{ key }}
    left join unchanged_names
        on decided.{{ key }} = unchanged_names.{{ key }}
        and decided._source_key is not distinct from unchanged_names._source_key
        {%- if natural %}
        and decided._natural is not distinct from unchanged_names._natural
        {%- endif %}

),
{%- else -%}
changes as (

    select decided._load_id, decided._position, build.build as _changed_build
    from decided
    cross join build

),
{%- endif %}
{% endmacro %}


{# Text that orders rows by when they were known, then by their place in landing. #}
{% macro row_order() -%}
    lpad(cast({{ epoch_us('_known_at') }} as text), 20, '0') || _load_id || lpad(cast(_position as text), 20, '0')
{%- endmacro %}
