{# What a build decides afresh. An incremental build takes the rows of loads it has not seen and
   the rows that its model wakes; what it has seen is read off the table itself (`_load_id`,
   `_build`), hence always in step with it. #}


{# Select of the rows that arrived: staged ones that are new and, on an incremental build, the
   existing ones that the CTE `woken` names by _load_id and _position. Their own key is in
   `_source_key`. With `natural`, for tables with a natural key, a woken row also brings the key
   and the natural key it had (`_former_key`, `_former_natural`). #}
{% macro arrived(table, key, columns, woken=none, natural=false) %}
{%- set row_columns = bookkeeping_of_rows() + ['_source_key'] + columns -%}
{%- set nothing = 'cast(null as ' ~ type_uuid() ~ ')' -%}
    with
    {% if is_incremental() %}
    unseen_loads as (
        {{ unseen_loads(table) }}
    ),

    {#- A load can have been seen in part, when the as-of time hid the rest. #}

    seen_rows as (

        select _load_id, _position
        from {{ this }}
        where _load_id in (select load_id from unseen_loads)

    ),
    {% endif %}
    staged as (
        {% for source in staging_models()[table] %}
        select
            {{ bookkeeping_of_rows() | join(', ') }},
            {{ key }} as _source_key,
            {{ columns | join(',\n            ') }}
        from {{ ref(source) }}
        where {{ known_by_now() }}
        {%- if is_incremental() %}
            and _load_id in (select load_id from unseen_loads)
        {%- endif %}
        {% if not loop.last %}union all{% endif %}
        {%- endfor %}

    )

    select
        {{ row_columns | join(',\n        ') }}
        {%- if natural %},
        {{ nothing }} as _former_key,
        {{ nothing }} as _former_natural
        {%- endif %}
    from staged
    {%- if is_incremental() %}
    where {{ not_in_rows('staged', 'seen_rows') }}
    {%- endif %}
    {%- if is_incremental() and woken %}
    union all
    select
        existing.{{ row_columns | join(',\n        existing.') }}
        {%- if natural %},
        existing.{{ key }} as _former_key,
        existing._natural as _former_natural
        {%- endif %}
    from {{ this }} as existing
    inner join (select distinct _load_id, _position from {{ woken }}) as woken_rows
        on existing._load_id = woken_rows._load_id
        and existing._position = woken_rows._position
    {%- endif %}
{%- endmacro %}


{# Select of the pinned loads of which the table does not hold all rows. #}
{% macro unseen_loads(table) %}
        select pinned.load_id
        from {{ meta('loads') }} as pinned
        left join (select _load_id, count(*) as row_count from {{ this }} group by _load_id) as held
            on pinned.load_id = held._load_id
        where pinned.resource = '{{ table }}'
            and pinned.accepted > coalesce(held.row_count, 0)
{%- endmacro %}


{# What every row of a versioned table begins with. #}
{% macro bookkeeping_of_rows() %}
    {{ return(['_load_id', '_position', '_source', '_known_at', '_loaded_at']) }}
{% endmacro %}


{# The newest build that wrote rows of this table: parents that changed later wake their children. #}
{% macro last_build() -%}
    (select coalesce(max(_build), 0) from {{ this }})
{%- endmacro %}


{# Select of the rows that name a parent which changed since this table was last built: `ours` is the
   column that names it, `theirs` what it is called there; lists where a name has parts. #}
{% macro woken_by(parent, ours, theirs=none) -%}
{%- set ours = [ours] if ours is string else ours -%}
{%- set theirs = ours if theirs is none else ([theirs] if theirs is string else theirs) %}
    select
        existing._load_id,
        existing._position
    from {{ this }} as existing
    inner join
        {{ parent }} as parents
        on {% for column in ours -%}
            existing.{{ column }} = parents.{{ theirs[loop.index0] }}
            {%- if not loop.last %}
        and {% endif -%}
        {%- endfor %}
    where parents._changed_build > {{ last_build() }}
{%- endmacro %}


{# Condition: the row of `rows` is none of those in `others`. #}
{% macro not_in_rows(rows, others) -%}
    not exists (
            select 1 from {{ others }}
            where {{ others }}._load_id = {{ rows }}._load_id
                and {{ others }}._position = {{ rows }}._position
        )
{%- endmacro %}


{# Postgres finds the rows of a few keys, builds and parents by index; DuckDB scans columns faster
   than it would keep indexes. #}
{% macro looked_up_by(columns) %}
    {%- if target.type == 'postgres' -%}
        {%- set indexes = [{'columns': ['_load_id', '_position']}, {'columns': ['_build']}] -%}
        {%- for column in columns -%}{%- do indexes.append({'columns': [column]}) -%}{%- endfor -%}
        {{ config(indexes=indexes) }}
    {%- endif -%}
{% endmacro %}
