{#
The one macro behind every `int_<table>`: takes what was landed, finds each row's key
and parents, orders the versions of a key and gives every row a verdict. A model states
only what is particular to its table:

    table        canonical table (also the name of its landing resource)
    key          its key column; the staged column of that name is the source's own key
    sources      staging models that feed it
    columns      staged columns it carries, compared to tell a new version from a repeat
    identity     staged columns it carries but does not compare: ways to name a row or its parent
    natural      SQL expressions of the natural key, if it has one (see keys.sql)
    required     columns without which a row is quarantined (missing_required)
    parents      see parents.sql (missing_parent)
    counts       columns that cannot be negative or above `max_count` (out_of_range)
    times        columns that must lie between `earliest_time` and a day after their load
    ranges       {column: SQL condition that is true when it is out of range}
    held         SQL condition of a row whose time has not come (not_published_yet)
    due_at       SQL expression: from when a held row would be valid
    newest_by    column that orders versions before their known-at, if the table has one
    state        columns of the accepted version that children depend on
    referenced   false for a table no other refers to
    compared     SQL expressions compared besides the columns
    anchored     true when rows can lack a natural key that they get later (drafts)

Incremental: a run takes the rows of loads it has not seen, existing rows whose parents
changed or whose time has come, and every row that shares a key with them; those keys
are decided afresh from all their rows, so the result does not depend on the order or
the grouping of builds. What was consumed is read off the table itself (`_load_id`,
`_build`), hence always in step with it.
#}
{% macro versioned_rows(
    table, key, sources, columns,
    identity=[], natural=none, required=[], parents=[], counts=[], times=[], ranges={},
    held=none, due_at=none, newest_by=none, state=[], referenced=true, anchored=false, compared=[]
) %}
{%- set carried = identity + columns -%}
{%- set resolved = [] -%}
{%- for one in parents -%}{%- do resolved.extend(one.resolves) -%}{%- endfor -%}
{%- set incremental = is_incremental() -%}
{%- do index_rows(key, natural, parents, referenced) -%}

with

build as (

    select build, as_of
    from (select {{ build_number() }} as build, {{ as_of() }} as as_of) as this_build

),

{% if incremental -%}
existing as {{ inlined() }} (

    select * from {{ this }}

),

consumed as (

    select coalesce(max(_build), 0) as build from existing

),

{{ rows_not_seen(table) }}
{%- endif %}

staged as (
    {% for source in sources %}
    select
        _load_id, _position, _source, _known_at, _loaded_at,
        {{ key }} as _source_key,
        {{ carried | join(', ') }}
    from {{ ref(source) }}
    where _known_at <= (select as_of from build)
    {%- if incremental %}
        and _load_id in (select load_id from loads_not_seen)
    {%- endif %}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

{% if incremental -%}
retried as (

    {{ rows_to_retry(parents, held, due_at) }}

),
{%- endif %}

arrived as (

    select
        _load_id, _position, _source, _known_at, _loaded_at, _source_key,
        {{ carried | join(', ') }},
        cast(null as {{ type_uuid() }}) as _former_key,
        cast(null as {{ type_uuid() }}) as _former_natural
    from staged
    {%- if incremental %}
    where {{ not_in_rows('staged', 'rows_seen') }}
    union all
    select
        existing._load_id, existing._position, existing._source, existing._known_at,
        existing._loaded_at, existing._source_key,
        {% for column in carried %}existing.{{ column }}, {% endfor %}
        existing.{{ key }} as _former_key,
        {{ 'existing._natural' if natural else 'cast(null as ' ~ type_uuid() ~ ')' }} as _former_natural
    from existing
    inner join retried
        on existing._load_id = retried._load_id and existing._position = retried._position
    {%- endif %}

),

{{ resolve_parents(parents) }}

{% if natural -%}
{{ key_by_nature(table, key, carried, resolved, natural, anchored, incremental) }}
{%- else -%}
keyed as (

    select
        resolved_rows.*,
        {{ own_key(table) }} as {{ key }}
    from resolved_rows

),
{%- endif %}

{% set row_columns = [
    '_load_id', '_position', '_source', '_known_at', '_loaded_at', '_source_key'
] + (['_natural'] if natural else []) + [key] + carried + resolved -%}
{% if incremental -%}
touched as (

    select {{ key }} from keyed
    union
    select _former_key from keyed where _former_key is not null
    {%- if natural and referenced %}
    union
    {# A name they share with rows of another key can lead elsewhere now. #}
    select existing.{{ key }}
    from existing
    where existing._source_key in (select _source_key from keyed)
    {%- endif %}

),
{%- endif %}

{% if incremental -%}
of_touched_keys as {{ computed_once() }} (

    select existing.*
    from existing
    where existing.{{ key }} in (select {{ key }} from touched)

),

{% endif -%}
candidates as (

    select {{ row_columns | join(', ') }} from keyed
    {%- if incremental %}
    union all
    select {{ row_columns | join(', ') }}
    from of_touched_keys
    where {{ not_in_rows('of_touched_keys', 'keyed') }}
    {%- endif %}

),

{{ judge(key, natural, required, parents, counts, times, ranges, held, due_at) }}

{{ decide(key, columns + compared, newest_by, row_columns, state) }}

{% if referenced -%}
{{ mark_changes(key, natural, state, incremental) }}
{%- endif %}

final as (

    select
        {% for column in row_columns %}decided.{{ column }}, {% endfor %}
        decided._verdict,
        decided._reasons,
        decided._fields,
        decided._missing_reference,
        decided._effective_at,
        decided._first_known_at,
        decided._valid_from,
        {% if state -%}
        decided._state_from,
        {% endif -%}
        decided._is_latest,
        {% if referenced -%}
        changes._changed_build,
        {% endif -%}
        build.build as _build
    from decided
    {%- if referenced %}
    inner join changes
        on decided._load_id = changes._load_id and decided._position = changes._position
    {%- endif %}
    cross join build

)

select * from final
{% endmacro %}


{# Loads of this table with rows the model does not hold yet, and the rows it holds of
   them: a load can be seen in part when the as-of time hid the rest. #}
{% macro rows_not_seen(table) %}
loads_not_seen as (

    select pinned.load_id
    from {{ meta('loads') }} as pinned
    left join (select _load_id, count(*) as row_count from existing group by _load_id) as held
        on pinned.load_id = held._load_id
    where pinned.resource = '{{ table }}'
        and pinned.accepted > coalesce(held.row_count, 0)

),

rows_seen as (

    select _load_id, _position
    from existing
    where _load_id in (select load_id from loads_not_seen)

),
{% endmacro %}


{# Existing rows to decide again: a parent changed since this model last ran, or a row
   was held back only because its time had not come. #}
{% macro rows_to_retry(parents, held, due_at) %}
    {%- set selects = [] -%}
    {%- for parent in parents -%}
        {%- for condition in parent.changed -%}
            {%- do selects.append(condition) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if held -%}
        {%- set due -%}
    select existing._load_id, existing._position
    from existing
    where 'not_published_yet' = any(existing._reasons)
        and ({{ due_at }}) <= (select as_of from build)
        {%- endset -%}
        {%- do selects.append(due) -%}
    {%- endif -%}
    {%- if selects -%}
    select distinct _load_id, _position
    from (
        {{ selects | join('\n        union all\n        ') }}
    ) as woken
    {%- else -%}
    select _load_id, _position from existing where false
    {%- endif -%}
{% endmacro %}


{# Postgres finds the rows of a few keys by index; DuckDB scans columns faster than it
   would keep indexes. #}
{% macro index_rows(key, natural, parents, referenced) %}
    {%- if target.type == 'postgres' -%}
        {%- set columns = [['_load_id', '_position'], [key], ['_build']] -%}
        {%- if natural -%}{%- do columns.extend([['_natural'], ['_source_key']]) -%}{%- endif -%}
        {%- if referenced -%}{%- do columns.append(['_changed_build']) -%}{%- endif -%}
        {%- for one in parents -%}{%- do columns.append([one.column]) -%}{%- endfor -%}
        {%- set indexes = [] -%}
        {%- for names in columns -%}{%- do indexes.append({'columns': names}) -%}{%- endfor -%}
        {{ config(indexes=indexes) }}
    {%- endif -%}
{% endmacro %}
