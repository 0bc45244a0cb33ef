{# Canonical table to its key column, the twelve of them. #}
{% macro canonical_keys() %}
    {%- set keys = {} -%}
    {%- for table, declared in declared_tables().items() -%}
        {%- do keys.update({table: declared['key']}) -%}
    {%- endfor -%}
    {{ return(keys) }}
{% endmacro %}


{# A key derived from parts: md5 of `table|part|part` as a uuid, the same on every engine.
   Null when a part is null. Text that could hold the separator goes through `escaped`. #}
{% macro derived_key(table, parts) -%}
    {%- set text -%}
        md5(
            '{{ table }}'
            {%- for part in parts %}
            || '|' || {{ as_text(part) }}
            {%- endfor %}
        )
    {%- endset -%}
    {{ hash_uuid(text) }}
{%- endmacro %}


{% macro escaped(text) -%}
    replace(replace({{ text }}, chr(92), chr(92) || chr(92)), '|', chr(92) || '|')
{%- endmacro %}


{# The key of a row nobody else can name: the source's own, else its place in its load. #}
{% macro own_key(table) -%}
    coalesce(_source_key, {{ derived_key(table, ['_load_id', '_position']) }})
{%- endmacro %}


{# Keys for a table with a natural key: select of the rows of the CTE `rows`, which bring their
   `_natural`, each with its key. Rows of one natural key share one key: that of a source before a
   derived one, then the earliest known. With `anchored`, a row without its natural key follows the
   first row of its source key that has one (a draft and the post it became); otherwise it keeps its
   own. An incremental run draws in the existing rows whose key these can change. #}
{% macro keyed_by_nature(rows, table, key, columns, anchored=false) %}
{%- set columns = bookkeeping_of_rows() + ['_source_key', '_natural'] + columns -%}
{%- set earliest = '_known_at, _load_id, _position' -%}
    with
    {% if is_incremental() %}
    affected_natures as (

        select _natural from {{ rows }} where _natural is not null
        union
        select _former_natural from {{ rows }} where _former_natural is not null

    ),

    {#- Mostly the table holds none of them: then its other columns are not read. #}

    held_natures as {{ computed_once() }} (

        select existing._natural
        from {{ this }} as existing
        where existing._natural in (select _natural from affected_natures)

    ),

    of_affected_natures as {{ computed_once() }} (

        select existing.*
        from {{ this }} as existing
        where existing._natural in (select _natural from held_natures)

    ),

    peers as (

        select of_affected_natures.*
        from of_affected_natures
        where {{ not_in_rows('of_affected_natures', rows) }}

    ),
    {% endif %}
    of_a_nature as (

        select
            {{ columns | join(',\n            ') }},
            _former_key
        from {{ rows }}
        where _natural is not null
        {%- if is_incremental() %}
        union all
        select
            {{ columns | join(',\n            ') }},
            {{ key }} as _former_key
        from peers
        {%- endif %}

    ),

    shared_natures as (

        select _natural from of_a_nature group by _natural having count(*) > 1

    ),

    survivors as (

        select _natural, coalesce(_source_key, _natural) as survivor
        from (
            select
                _natural,
                _source_key,
                row_number() over (
                    partition by _natural
                    order by case when _source_key is null then 1 else 0 end, {{ earliest }}
                ) as choice
            from of_a_nature
            where _natural in (select _natural from shared_natures)
        ) as ranked
        where choice = 1

    ),

    with_key_of_nature as (

        select
            of_a_nature.*,
            coalesce(survivors.survivor, of_a_nature._source_key, of_a_nature._natural) as {{ key }}
        from of_a_nature
        left join survivors on of_a_nature._natural = survivors._natural

    ),

    {% if anchored -%}
    {{ anchored_to_source_key(rows, table, key, columns, earliest) }}
    {%- else -%}
    with_own_key as (

        select
            {{ columns | join(',\n            ') }},
            _former_key,
            {{ own_key(table) }} as {{ key }}
        from {{ rows }}
        where _natural is null

    )
    {%- endif %}

    select * from with_key_of_nature
    union all
    select * from with_own_key
{%- endmacro %}


{# CTEs of keyed_by_nature: rows without their natural key take the key of the first row of their
   source key that has one. #}
{% macro anchored_to_source_key(rows, table, key, columns, earliest) %}
{%- if is_incremental() -%}
    of_affected_sources as {{ computed_once() }} (

        select existing.*
        from {{ this }} as existing
        where existing._source_key in (
            select _source_key from {{ rows }}
            union
            select _source_key from peers
        )

    ),

    {% endif -%}
    of_no_nature as (

        select
            {{ columns | join(',\n            ') }},
            _former_key
        from {{ rows }}
        where _natural is null
        {%- if is_incremental() %}
        union all
        select
            {{ columns | join(',\n            ') }},
            {{ key }} as _former_key
        from of_affected_sources
        where _natural is null
            and {{ not_in_rows('of_affected_sources', rows) }}
        {%- endif %}

    ),

    named_elsewhere as (

        select _source_key, {{ key }}, {{ earliest }}
        from with_key_of_nature
        {%- if is_incremental() %}
        union all
        select _source_key, {{ key }}, {{ earliest }}
        from of_affected_sources
        where _natural is not null
            and {{ not_in_rows('of_affected_sources', 'of_a_nature') }}
            and {{ not_in_rows('of_affected_sources', rows) }}
        {%- endif %}

    ),

    anchors as (

        select _source_key as anchored_key, {{ key }} as anchor
        from (
            select
                _source_key,
                {{ key }},
                row_number() over (partition by _source_key order by {{ earliest }}) as choice
            from named_elsewhere
            where _source_key in (select _source_key from of_no_nature)
        ) as ranked
        where choice = 1

    ),

    with_own_key as (

        select
            of_no_nature.*,
            coalesce(anchors.anchor, {{ own_key(table) }}) as {{ key }}
        from of_no_nature
        left join anchors on of_no_nature._source_key = anchors.anchored_key

    )
{%- endmacro %}


{# Select of the rows of the CTE `rows` and, on an incremental build, of every existing row that
   shares a key with them: a key is decided from all its rows, so that the result does not depend
   on the order or the grouping of builds. With `natural`, keys the rows had before count, too; with
   `named`, those of rows with the same source key, which can lead elsewhere now. #}
{% macro with_rows_of_their_keys(rows, key, columns, natural=false, named=false) %}
{%- set columns = bookkeeping_of_rows() + ['_source_key'] + columns -%}
{%- if is_incremental() %}
    with

    touched as (

        select {{ key }} from {{ rows }}
        {%- if natural %}
        union
        select _former_key from {{ rows }} where _former_key is not null
        {%- endif %}
        {%- if named %}
        union
        select existing.{{ key }}
        from {{ this }} as existing
        where existing._source_key in (select _source_key from {{ rows }})
        {%- endif %}

    ),

    {#- As above: mostly none. #}

    held_keys as {{ computed_once() }} (

        select existing.{{ key }}
        from {{ this }} as existing
        where existing.{{ key }} in (select {{ key }} from touched)

    ),

    of_touched_keys as {{ computed_once() }} (

        select existing.*
        from {{ this }} as existing
        where existing.{{ key }} in (select {{ key }} from held_keys)

    )
{% endif %}
    select
        {{ columns | join(',\n        ') }}
    from {{ rows }}
    {%- if is_incremental() %}
    union all
    select
        {{ columns | join(',\n        ') }}
    from of_touched_keys
    where {{ not_in_rows('of_touched_keys', rows) }}
    {%- endif %}
{%- endmacro %}


{# Select of reference_id and the key it leads to: a reference is a source's own key or
   the derived key of a natural one, of rows that lost theirs to another, too. With
   `among`, a CTE with the column reference_id, only those are looked for. #}
{% macro names_of(table, key, among=none) -%}
    select reference_id, {{ key }}
    from (
        select
            reference_id,
            {{ key }},
            row_number() over (
                partition by reference_id
                order by preference, is_unnamed, _known_at, _load_id, _position
            ) as choice
        from (
            select
                _source_key as reference_id,
                {{ key }},
                1 as preference,
                case when _natural is null then 1 else 0 end as is_unnamed,
                _known_at,
                _load_id,
                _position
            from {{ ref('int_' ~ table) }}
            where {{ '_source_key in (select reference_id from ' ~ among ~ ')' if among
                else '_source_key is not null' }}
            union all
            select
                _natural as reference_id,
                {{ key }},
                2 as preference,
                0 as is_unnamed,
                _known_at,
                _load_id,
                _position
            from {{ ref('int_' ~ table) }}
            where {{ '_natural in (select reference_id from ' ~ among ~ ')' if among
                else '_natural is not null' }}
        ) as names
    ) as ranked
    where choice = 1
{%- endmacro %}
