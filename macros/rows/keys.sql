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
   source before a derived one, then the earliest known. A row without its natural key
   follows the first row of its source key that has one. CTEs from `resolved_rows` to
   `keyed`; an incremental run draws in the existing rows whose key these can change. #}
{% macro key_by_nature(table, key, carried, resolved, natural, incremental) %}
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

peers as (

    select existing.*
    from existing
    where existing._natural in (select _natural from affected_natures)
        and not exists (
            select 1 from retried
            where retried._load_id = existing._load_id and retried._position = existing._position
        )

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

of_no_nature as (

    select {{ columns | join(', ') }}, _natural, _former_key
    from named
    where _natural is null
    {%- if incremental %}
    union all
    select {{ columns | join(', ') }}, _natural, {{ key }} as _former_key
    from existing
    where existing._natural is null
        and existing._source_key in (
            select _source_key from named union select _source_key from peers
        )
        and not exists (
            select 1 from retried
            where retried._load_id = existing._load_id and retried._position = existing._position
        )
    {%- endif %}

),

anchors as (

    select _source_key, {{ key }} as anchor
    from (
        select
            _source_key,
            {{ key }},
            row_number() over (partition by _source_key order by {{ earliest }}) as choice
        from (
            select _source_key, {{ key }}, {{ earliest }}
            from keyed_by_nature
            where _source_key in (select _source_key from of_no_nature)
            {%- if incremental %}
            union all
            select _source_key, {{ key }}, {{ earliest }}
            from existing
            where existing._natural is not null
                and existing._source_key in (select _source_key from of_no_nature)
                and not exists (
                    select 1 from of_a_nature
                    where of_a_nature._load_id = existing._load_id
                        and of_a_nature._position = existing._position
                )
                and not exists (
                    select 1 from retried
                    where retried._load_id = existing._load_id
                        and retried._position = existing._position
                )
            {%- endif %}
        ) as named_elsewhere
    ) as ranked
    where choice = 1

),

keyed as (

    select * from keyed_by_nature
    union all
    select
        of_no_nature.*,
        coalesce(anchors.anchor, {{ own_key(table) | replace('_source_key', 'of_no_nature._source_key') }}) as {{ key }}
    from of_no_nature
    left join anchors on of_no_nature._source_key = anchors._source_key

),
{% endmacro %}


{# Every way to name a row of a table with a natural key, and the key it leads to:
   `reference_id` is a source's key or the derived key, the natural columns are a name.
   Each names one key, also those of rows that lost theirs to another. #}
{% macro key_directory(table, key, natural_columns=[]) %}
{%- set earliest = '_known_at, _load_id, _position' -%}
with

rows_of_table as (

    select * from {{ ref('int_' ~ table) }}

),

by_source_key as (

    select
        _source_key as reference_id,
        {{ key }},
        1 as preference,
        row_number() over (
            partition by _source_key
            order by case when _natural is null then 1 else 0 end, {{ earliest }}
        ) as choice
    from rows_of_table
    where _source_key is not null

),

by_derived_key as (

    select
        _natural as reference_id,
        {{ key }},
        2 as preference,
        row_number() over (partition by _natural order by {{ earliest }}) as choice
    from rows_of_table
    where _natural is not null

),

by_reference as (

    select
        reference_id,
        {{ key }},
        row_number() over (partition by reference_id order by preference) as choice
    from (
        select * from by_source_key where choice = 1
        union all
        select * from by_derived_key where choice = 1
    ) as both_kinds

),

{% if natural_columns -%}
by_name as (

    select
        {{ natural_columns | join(', ') }},
        {{ key }},
        row_number() over (
            partition by {{ natural_columns | join(', ') }} order by {{ earliest }}
        ) as choice
    from rows_of_table
    where _natural is not null

),
{%- endif %}

final as (

    select
        {% for column in natural_columns -%}
        cast(null as text) as {{ column }},
        {% endfor -%}
        reference_id,
        {{ key }}
    from by_reference
    where choice = 1
    {%- if natural_columns %}
    union all
    select
        {{ natural_columns | join(', ') }},
        cast(null as {{ type_uuid() }}) as reference_id,
        {{ key }}
    from by_name
    where choice = 1
    {%- endif %}

)

select * from final
{% endmacro %}
