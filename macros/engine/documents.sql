{# What lies inside JSON documents, and documents written as text that both engines agree
   on to the byte. Each has a case in tests/dbt/document_macros.sql. #}

{# Select of (key, field, field_type, field_value): one row for each top-level field of the JSON
   object in a column of `relation`; none for other documents and for null. `field_type` is
   text, number, boolean, null, object or array; `field_value` the text of the value. #}
{% macro json_fields(relation, key, document) -%}
    {%- if target.type == 'spark' -%}
        {#- A document is a text there, and what its values are is read off it; a field of the same
           name may stand deeper in it. -#}
        select
            {{ key }},
            field,
            case
                when field_value is null then 'null'
                when instr({{ document }}, '"' || field || '":"') > 0
                    and instr({{ document }}, '"' || field || '":' || field_value) = 0
                    then 'text'
                when left(field_value, 1) = '{' then 'object'
                when field_value like '[%' then 'array'
                when field_value in ('true', 'false') then 'boolean'
                else 'number'
            end as field_type,
            field_value
        from (
            select
                {{ key }},
                {{ document }},
                explode(from_json({{ document }}, 'map<string,string>')) as (field, field_value)
            from {{ relation }}
            where left({{ document }}, 1) = '{'
        ) as exploded
    {%- else -%}
        select
            {{ relation }}.{{ key }},
            fields.field,
            fields.field_type,
            fields.field_value
        from {{ relation }}
        cross join lateral (
        {%- if target.type == 'postgres' %}
            select
                fields.key as field,
                replace(jsonb_typeof(fields.value), 'string', 'text') as field_type,
                fields.value #>> '{}' as field_value
            from jsonb_each(
                case when jsonb_typeof({{ relation }}.{{ document }}) = 'object' then {{ relation }}.{{ document }} end
            ) as fields
        {%- else %}
            select
                fields.key as field,
                case
                    when fields.type = 'VARCHAR' then 'text'
                    when fields.type in ('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE') then 'number'
                    else lower(fields.type)
                end as field_type,
                fields.value ->> '$' as field_value
            from json_each({{ relation }}.{{ document }}) as fields
            where json_type({{ relation }}.{{ document }}) = 'OBJECT'
        {%- endif %}
        ) as fields
    {%- endif -%}
{%- endmacro %}


{# The texts and numbers of the array at a top-level key, in order, put together with
   `separator`; the text itself where the key holds one; null when there is nothing. #}
{% macro json_list_text(document, key, separator=', ') -%}
    {%- if target.type == 'postgres' -%}
        nullif(
            case jsonb_typeof({{ document }} -> '{{ key }}')
                when 'array' then (
                    select string_agg(items.item #>> '{}', '{{ separator }}' order by items.place)
                    from jsonb_array_elements({{ document }} -> '{{ key }}') with ordinality as items (item, place)
                    where jsonb_typeof(items.item) in ('string', 'number')
                )
                when 'string' then {{ document }} ->> '{{ key }}'
            end, ''
        )
    {%- elif target.type == 'spark' -%}
        {%- set part = "get_json_object(" ~ document ~ ", '$." ~ key ~ "')" -%}
        {#- Of lists of objects an element would be a list or an object. -#}
        nullif(
            case
                when {{ part }} like '[%'
                then array_join(filter(
                    from_json({{ part }}, 'array<string>'),
                    item -> item is not null and item not in ('true', 'false')
                        and left(item, 1) <> '{' and item not like '[%'
                ), '{{ separator }}')
                {#- A text, no number or boolean: the document tells. #}
                when {{ document }} rlike '"{{ key }}" *: *"' and left({{ part }}, 1) <> '{' then {{ part }}
            end, ''
        )
    {%- else -%}
        nullif(
            case json_type({{ document }} -> '{{ key }}')
                when 'ARRAY' then array_to_string(list_transform(
                    list_filter(
                        cast(json_extract({{ document }}, '$."{{ key }}"[*]') as json[]),
                        lambda item: json_type(item) not in ('NULL', 'OBJECT', 'ARRAY', 'BOOLEAN')
                    ),
                    lambda item: item ->> '$'
                ), '{{ separator }}')
                when 'VARCHAR' then {{ document }} ->> '{{ key }}'
            end, ''
        )
    {%- endif -%}
{%- endmacro %}


{# A document as it is compared with another. Postgres holds 1 and 1.0 to be the same JSON, its
   canonical text does not; DuckDB keeps the blanks of what landed, which what was folded into a
   document has not; on Spark what is folded in stands before what was there. #}
{% macro comparable_json(document) -%}
    {%- if target.type == 'postgres' -%}
        {{ as_text(document) }}
    {%- elif target.type == 'spark' -%}
        coalesce(
            {{ as_text("array_sort(map_entries(from_json(" ~ document ~ ", 'map<string,string>')))") }}, {{ document }}
        )
    {%- else -%}
        json({{ document }})
    {%- endif -%}
{%- endmacro %}


{# A text as JSON, quoted; null stays null. Control characters must have been removed. #}
{% macro quoted_json(text) -%}
    {%- if target.type == 'spark' -%}
        ('"' || replace(replace({{ as_text(text) }}, chr(92), chr(92) || chr(92)), '"', chr(92) || '"') || '"')
    {%- else -%}
        {{ as_text('to_json(' ~ as_text(text) ~ ')') }}
    {%- endif -%}
{%- endmacro %}


{# One row for each element of a text[] (in a select list). #}
{% macro array_elements(array) -%}
    {{ 'explode' if target.type == 'spark' else 'unnest' }}({{ array }})
{%- endmacro %}


{# Bytes of a text in UTF-8. #}
{% macro byte_length(text) -%}
    {%- if target.type != 'duckdb' -%}
        cast(octet_length({{ text }}) as bigint)
    {%- else -%}
        cast(strlen({{ text }}) as bigint)
    {%- endif -%}
{%- endmacro %}


{# Text in lower case where it is ASCII. What else has a lower case depends on the
   engine and its collation. #}
{% macro ascii_lower(text) -%}
    translate({{ text }}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
{%- endmacro %}
