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
    cast(md5('{{ table }}|' || {% for part in parts -%}
        cast({{ part }} as text)
        {%- if not loop.last %} || '|' || {% endif -%}
    {%- endfor %}) as {{ type_uuid() }})
{%- endmacro %}


{% macro escaped(text) -%}
    replace(replace({{ text }}, '\', '\\'), '|', '\|')
{%- endmacro %}


{# The key of a row nobody else can name: the source's own, else its place in its load. #}
{% macro own_key(table) -%}
    coalesce(_source_key, {{ derived_key(table, ['_load_id', '_position']) }})
{%- endmacro %}


{# Keys for a table with a natural key. Rows of one natural key share one key: that of a
   source before a derived one, then the earliest known. With `anchored`, a row without
   its natural key follows the first row of its source key that has one (a draft and the
   post it became); otherwise it keeps its own. CTEs from `resolved_rows` to `keyed`; an
   incremental run draws in the existing rows whose key these can change. #}
{% macro key_by_nature(table, key, carried, resolved, natural, anchored, incremental) %}
{%- set columns = ['_load_id', '_position', '_source', '_known_at', '_loaded_at', '_source_key'] + carried + resolved -%}
{%- set earliest = '_known_at, _load_id, _position' -%}
named as {{ computed_once() }} (

    select
        resolved_rows.*,
        {{ derived_key(table, natural) }} as _natural
    from resolved_rows

),

{% if incremental -%}
affected_natures as (

    select _natural from named where _natural is not null
    union
    select _former_natural from named where _former_natural is not null

),

of_affected_natures as {{ computed_once() }} (

    select existing.*
    from existing
    where existing._natural in (select _natural from affected_natures)

),

peers as (

    select of_affected_natures.*
    from of_affected_natures
    where {{ not_in_rows('of_affected_natures', 'retried') }}

),
{%- endif %}

of_a_nature as (

    select {{ columns | join(', ') }}, _natural, _former_key
    from named
    where _natural is not null
    {%- if incremental %}
    union all
    select {{ columns | join(', ') }}, _natural, {{ key }} as _former_key
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

keyed_by_nature as (

    select
        of_a_nature.*,
        coalesce(survivors.survivor, of_a_nature._source_key, of_a_nature._natural) as {{ key }}
    from of_a_nature
    left join survivors on of_a_nature._natural = survivors._natural

),

{% if anchored -%}
{{ anchor_to_source_key(table, key, columns, earliest, incremental) }}
{%- else -%}
keyed_alone as (

    select
        {{ columns | join(', ') }},
        _natural,
        _former_key,
        {{ own_key(table) }} as {{ key }}
    from named
    where _natural is null

),
{%- endif %}

keyed as (

    select * from keyed_by_nature
    union all
    select * from keyed_alone

),
{% endmacro %}


{% macro anchor_to_source_key(table, key, columns, earliest, incremental) %}
{% if incremental -%}
of_affected_sources as {{ computed_once() }} (

    select existing.*
    from existing
    where existing._source_key in (
        select _source_key from named
        union
        select _source_key from peers
    )

),

{% endif -%}
of_no_nature as (

    select {{ columns | join(', ') }}, _natural, _former_key
    from named
    where _natural is null
    {%- if incremental %}
    union all
    select {{ columns | join(', ') }}, _natural, {{ key }} as _former_key
    from of_affected_sources
    where _natural is null
        and {{ not_in_rows('of_affected_sources', 'retried') }}
    {%- endif %}

),

named_elsewhere as (

    select _source_key, {{ key }}, {{ earliest }}
    from keyed_by_nature
    {%- if incremental %}
    union all
    select _source_key, {{ key }}, {{ earliest }}
    from of_affected_sources
    where _natural is not null
        and {{ not_in_rows('of_affected_sources', 'of_a_nature') }}
        and {{ not_in_rows('of_affected_sources', 'retried') }}
    {%- endif %}

),

anchors as (

    select _source_key, {{ key }} as anchor
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

keyed_alone as (

    select
        of_no_nature.*,
        coalesce(anchors.anchor, {{ own_key(table) | replace('_source_key', 'of_no_nature._source_key') }}) as {{ key }}
    from of_no_nature
    left join anchors on of_no_nature._source_key = anchors._source_key

),
{% endmacro %}


{# Condition: the row of `rows` is none of those in `others`. #}
{% macro not_in_rows(rows, others) -%}
    not exists (
            select 1 from {{ others }}
            where {{ others }}._load_id = {{ rows }}._load_id
                and {{ others }}._position = {{ rows }}._position
        )
{%- endmacro %}


{# Select of reference_id and the key it leads to: a reference is a source's own key or
   the derived key of a natural one, of rows that lost theirs to another, too. With
   `wanted`, a select of references, only those are looked for. #}
{% macro names_of(table, key, wanted=none) -%}
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
            where {{ '_source_key in (' ~ wanted ~ ')' if wanted else '_source_key is not null' }}
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
            where {{ '_natural in (' ~ wanted ~ ')' if wanted else '_natural is not null' }}
        ) as names
    ) as ranked
    where choice = 1
{%- endmacro %}
