{# What lies inside JSON documents, and documents written as text that both engines agree
   on to the byte. Each has a case in tests/dbt/document_macros.sql. #}

{# Table expression for a from clause: one row (field, field_type, field_value) for each
   top-level field of a JSON object; none for other documents and for null. `field_type` is
   text, number, boolean, null, object or array; `field_value` the text of the value. #}
{% macro json_fields(document) -%}
    {%- if target.type == 'postgres' -%}
        (
            select
                fields.key as field,
                replace(jsonb_typeof(fields.value), 'string', 'text') as field_type,
                fields.value #>> '{}' as field_value
            from jsonb_each(case when jsonb_typeof({{ document }}) = 'object' then {{ document }} end) as fields
        )
    {%- else -%}
        (
            select
                fields.key as field,
                case
                    when fields.type = 'VARCHAR' then 'text'
                    when fields.type in ('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE') then 'number'
                    else lower(fields.type)
                end as field_type,
                fields.value ->> '$' as field_value
            from json_each({{ document }}) as fields
            where json_type({{ document }}) = 'OBJECT'
        )
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


{# A text as JSON, quoted; null stays null. Control characters must have been removed. #}
{% macro quoted_json(text) -%}
    {{ 'cast(to_json(cast(' ~ text ~ ' as text)) as text)' }}
{%- endmacro %}


{# One row for each element of a text[] (in a select list). #}
{% macro array_elements(array) -%}
    unnest({{ array }})
{%- endmacro %}


{# Bytes of a text in UTF-8. #}
{% macro byte_length(text) -%}
    {%- if target.type == 'postgres' -%}
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
