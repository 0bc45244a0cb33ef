{# Small functions that the engines spell differently. Each has a case in
   tests/dbt/engine_macros.sql. #}

{# Microseconds since 1970, whole. #}
{% macro epoch_us(timestamp) -%}
    {%- if target.type == 'postgres' -%}
        cast(extract(epoch from {{ timestamp }}) * 1000000 as bigint)
    {%- elif target.type == 'spark' -%}
        unix_micros({{ timestamp }})
    {%- else -%}
        epoch_us({{ timestamp }})
    {%- endif -%}
{%- endmacro %}


{# How often a whole number goes into another one of 0 or more. #}
{% macro quotient(number, divisor) -%}
    (({{ number }}) {{ {'postgres': '/', 'spark': 'div'}.get(target.type, '//') }} {{ divisor }})
{%- endmacro %}


{# One row for each whole number from `first` to `last` (in a select list). #}
{% macro whole_numbers(first, last) -%}
    {%- if target.type == 'postgres' -%}
        generate_series({{ first }}, {{ last }})
    {%- elif target.type == 'spark' -%}
        {#- It would count down where the last is the lower one. -#}
        explode(case when {{ first }} <= {{ last }} then sequence({{ first }}, {{ last }}) end)
    {%- else -%}
        unnest(generate_series({{ first }}, {{ last }}))
    {%- endif -%}
{%- endmacro %}


{# Days from a date to a later one, whole; negative where it is earlier. #}
{% macro days_from(date, other) -%}
    {%- if target.type == 'spark' -%}
        datediff({{ other }}, {{ date }})
    {%- else -%}
        ({{ other }} - {{ date }})
    {%- endif -%}
{%- endmacro %}


{# One row for each day from the first to the last (in a select list); none where one is null. #}
{% macro each_day(first, last) -%}
    {%- if target.type == 'spark' -%}
        explode(sequence({{ first }}, {{ last }}))
    {%- else -%}
        cast({{ first }} + cast({{ whole_numbers(0, last ~ ' - ' ~ first) }} as integer) as date)
    {%- endif -%}
{%- endmacro %}


{# Begins a record of several values, of which nulls are compared as well: record()(a, b). #}
{% macro record() -%}{{ return('struct' if target.type == 'spark' else 'row') }}{%- endmacro %}


{# The array of the given expressions without its nulls. #}
{% macro array_compact(expressions) -%}
    {%- if target.type == 'postgres' -%}
        array_remove(cast(array[{{ expressions | join(', ') }}] as text[]), null)
    {%- elif target.type == 'spark' -%}
        array_compact(array({{ expressions | join(', ') }}))
    {%- else -%}
        list_filter(
            cast([{{ expressions | join(', ') }}] as text[]), lambda item: item is not null
        )
    {%- endif -%}
{%- endmacro %}


{# Number of elements, 0 for an empty array. #}
{% macro array_size(array) -%}
    {{ {'postgres': 'cardinality', 'spark': 'array_size'}.get(target.type, 'len') }}({{ array }})
{%- endmacro %}


{% macro empty_array() -%}
    cast({{ {'postgres': "'{}'", 'spark': 'array()'}.get(target.type, '[]') }} as {{ type_text_array() }})
{%- endmacro %}


{% macro empty_object() -%}
    cast('{}' as {{ type_json() }})
{%- endmacro %}


{# The text at a top-level key of a JSON object, null where there is none. #}
{% macro json_text(document, key) -%}
    {%- if target.type == 'spark' -%}
        get_json_object({{ document }}, '$.{{ key }}')
    {%- else -%}
        ({{ document }} ->> '{{ key }}')
    {%- endif -%}
{%- endmacro %}


{# The document at a top-level key of a JSON object, null where there is none. #}
{% macro json_part(document, key) -%}
    {%- if target.type == 'spark' -%}
        get_json_object({{ document }}, '$.{{ key }}')
    {%- else -%}
        ({{ document }} -> '{{ key }}')
    {%- endif -%}
{%- endmacro %}


{# Columns folded into a JSON object under the given names. Shallow: a null column
   adds no key, and a key the object already has wins, even when its value is null.
   A base that is no object is left as it is; nothing to fold into nothing is null. `documents` are
   the names whose columns are JSON themselves. #}
{% macro json_fold(base, columns, documents=[]) -%}
    {%- if target.type == 'spark' -%}
        case
            when {{ base }} is not null and left({{ base }}, 1) <> '{' then {{ base }}
            when coalesce({% for column in columns.values() %}{{ as_text(column) }}{{ ', ' if not loop.last }}{% endfor %}) is null then {{ base }}
            else '{' || concat_ws(
                ',',
                {%- for name, column in columns.items() %}
                case
                    when not coalesce(array_contains(json_object_keys({{ base }}), '{{ name }}'), false)
                    then {{ json_member(name, column, name in documents) }}
                end,
                {%- endfor %}
                nullif(substr({{ base }}, 2, length({{ base }}) - 2), '')
            ) || '}'
        end
    {%- elif target.type == 'postgres' -%}
        case
            when {{ base }} is not null and jsonb_typeof({{ base }}) <> 'object' then {{ base }}
            when {{ base }} is null and coalesce({% for column in columns.values() %}cast({{ column }} as {{ type_text() }}){{ ', ' if not loop.last }}{% endfor %}) is null then null
            else
                {% for name, column in columns.items() -%}
                case when {{ column }} is null then cast('{}' as jsonb)
                    else jsonb_build_object('{{ name }}', {{ column }}) end ||
                {% endfor -%}
                coalesce({{ base }}, cast('{}' as jsonb))
        end
    {%- else -%}
        case
            when {{ base }} is not null and json_type({{ base }}) <> 'OBJECT' then {{ base }}
            when coalesce({% for column in columns.values() %}cast({{ column }} as {{ type_text() }}){{ ', ' if not loop.last }}{% endfor %}) is null then {{ base }}
            else cast('{' || array_to_string(list_sort(list_concat(
                list_transform(
                    coalesce(json_keys({{ base }}), []),
                    lambda name: cast(to_json(name) as {{ type_text() }}) || ':' || cast({{ base }} -> name as {{ type_text() }})
                ),
                list_filter([
                    {%- for name, column in columns.items() %}
                    case
                        when {{ column }} is not null
                            and not coalesce(json_exists({{ base }}, '$."{{ name }}"'), false)
                            then '"{{ name }}":' || cast(to_json({{ column }}) as {{ type_text() }})
                    end{{ ',' if not loop.last }}
                    {%- endfor %}
                ], lambda pair: pair is not null)
            )), ',') || '}' as json)
        end
    {%- endif -%}
{%- endmacro %}


{# What the first group of a regular expression matches, null where nothing does. Only
   classes that both engines know alike may be used (no \w: it is ASCII on one). #}
{% macro first_match(text, pattern) -%}
    {%- if target.type == 'postgres' -%}
        substring({{ text }} from '{{ pattern }}')
    {%- else -%}
        nullif(regexp_extract({{ text }}, '{{ pattern }}', 1), '')
    {%- endif -%}
{%- endmacro %}


{# What the group of a regular expression matches at each of its matches, in order. #}
{% macro all_matches(text, pattern) -%}
    {%- if target.type == 'postgres' -%}
        array(select found[1] from regexp_matches({{ text }}, '{{ pattern }}', 'g') as found)
    {%- else -%}
        regexp_extract_all({{ text }}, '{{ pattern }}', 1)
    {%- endif -%}
{%- endmacro %}


{# Text with `other` for each match of a regular expression. #}
{% macro replaced(text, pattern, other='') -%}
    {%- if target.type == 'spark' -%}
        {#- A backslash in a literal begins a sign there. -#}
        regexp_replace({{ text }}, '{{ pattern | replace("\\", "\\\\") }}', '{{ other }}')
    {%- else -%}
        regexp_replace({{ text }}, '{{ pattern }}', '{{ other }}', 'g')
    {%- endif -%}
{%- endmacro %}


{# A timestamp as ISO 8601 text in UTC with microseconds, for JSON documents. #}
{% macro iso_text(timestamp) -%}
    {%- if target.type == 'postgres' -%}
        to_char({{ timestamp }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    {%- elif target.type == 'spark' -%}
        date_format({{ timestamp }}, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
    {%- else -%}
        strftime({{ timestamp }} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')
    {%- endif -%}
{%- endmacro %}


{# A JSON object of names to SQL expressions; `documents` are the names of those that are JSON
   themselves. #}
{% macro json_object(pairs, documents=[]) -%}
    {%- if target.type == 'spark' -%}
        '{' || concat_ws(
            ','
            {%- for name, expression in pairs.items() %},
            coalesce({{ json_member(name, expression, name in documents) }}, '"{{ name }}":null')
            {%- endfor %}
        ) || '}'
    {%- else -%}
    {{ 'jsonb_build_object' if target.type == 'postgres' else 'json_object' }}(
        {%- for name, expression in pairs.items() %}
        '{{ name }}', {{ expression }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
    {%- endif -%}
{%- endmacro %}


{# On Spark, where documents are texts: the text of one member of an object, null for a null. #}
{% macro json_member(name, expression, is_document) -%}
    {%- if is_document -%}
        '"{{ name }}":' || {{ expression }}
    {%- else -%}
        {%- set object = "to_json(named_struct('" ~ name ~ "', " ~ expression ~ "))" -%}
        nullif(substr({{ object }}, 2, length({{ object }}) - 2), '')
    {%- endif -%}
{%- endmacro %}


{# One row for each top-level key of a JSON object given as text (in a select list). #}
{% macro json_keys(text) -%}
    {%- if target.type == 'postgres' -%}
        jsonb_object_keys(cast({{ text }} as jsonb))
    {%- elif target.type == 'spark' -%}
        explode(json_object_keys({{ text }}))
    {%- else -%}
        unnest(json_keys({{ text }}))
    {%- endif -%}
{%- endmacro %}


{# Aggregate: the distinct values in order. Sorted by bytes on every engine. #}
{% macro distinct_sorted_array(expression) -%}
    {%- if target.type == 'postgres' -%}
        array_agg(distinct {{ expression }} collate "C" order by {{ expression }} collate "C")
    {%- elif target.type == 'spark' -%}
        array_sort(collect_set({{ expression }}))
    {%- else -%}
        list_sort(list(distinct {{ expression }}))
    {%- endif -%}
{%- endmacro %}


{# Marks a CTE that costs much and is read several times, or whose columns the next step uses
   several times: Postgres puts a plain step into the next one and computes an expression at
   each of its uses, and the uses of uses multiply. #}
{% macro computed_once() -%}
    {{ return('/* once */' if target.type == 'spark' else 'materialized') }}
{%- endmacro %}


{# Marks a wide CTE between the rows of a full build and its table. DuckDB keeps a copy of all
   rows in memory of each one that is read twice; the columns that are read again cost less. #}
{% macro read_in_place() -%}
    {{ return('not materialized' if target.type == 'duckdb' and not is_incremental() else '') }}
{%- endmacro %}


{# Marks a CTE that only names a table: each reader must keep its own filters and columns. #}
{% macro inlined() -%}
    {{ return('' if target.type == 'spark' else 'not materialized') }}
{%- endmacro %}


{# Begins the columns of a select whose rows are few and each cost much: Spark would leave them to
   one core, for it splits work by bytes. #}
{% macro over_cores() -%}
    {{ return('/*+ repartition(32) */' if target.type == 'spark' else '') }}
{%- endmacro %}


{# A double as a JSON number, whole ones without a fraction on every engine. #}
{% macro json_number(expression) -%}
    {%- if target.type == 'postgres' -%}
        to_jsonb({{ expression }})
    {%- elif target.type == 'spark' -%}
        case
            when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e15
                then {{ as_text('cast(' ~ expression ~ ' as bigint)') }}
            else {{ as_text(expression) }}
        end
    {%- else -%}
        case
            when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e15
                then to_json(cast({{ expression }} as bigint))
            else to_json({{ expression }})
        end
    {%- endif -%}
{%- endmacro %}


{# Text without the signs that it begins with. #}
{% macro without_leading(text, sign) -%}
    {%- if target.type == 'spark' -%}
        trim(leading '{{ sign }}' from {{ text }})
    {%- else -%}
        ltrim({{ text }}, '{{ sign }}')
    {%- endif -%}
{%- endmacro %}


{# The day of a time, and its time of day, in UTC: sessions of Spark are in UTC. #}
{% macro in_utc(timestamp) -%}
    {{ timestamp if target.type == 'spark' else timestamp ~ " at time zone 'UTC'" }}
{%- endmacro %}


{# Day of the week in UTC, from 1 for Monday to 7. #}
{% macro iso_weekday(timestamp) -%}
    {%- if target.type == 'spark' -%}
        cast((dayofweek({{ timestamp }}) + 5) % 7 + 1 as bigint)
    {%- else -%}
        cast(extract(isodow from {{ in_utc(timestamp) }}) as bigint)
    {%- endif -%}
{%- endmacro %}


{# Condition: the value is one of an array's. #}
{% macro in_array(value, array) -%}
    {%- if target.type == 'spark' -%}
        array_contains({{ array }}, {{ value }})
    {%- else -%}
        {{ value }} = any({{ array }})
    {%- endif -%}
{%- endmacro %}


{# The texts of an array put together. #}
{% macro array_words(array, separator) -%}
    {{ 'array_join' if target.type == 'spark' else 'array_to_string' }}({{ array }}, '{{ separator }}')
{%- endmacro %}


{# Element `place` of an array, from 1. #}
{% macro array_item(array, place) -%}
    {{ 'element_at(' ~ array ~ ', ' ~ place ~ ')' if target.type == 'spark' else '(' ~ array ~ ')[' ~ place ~ ']' }}
{%- endmacro %}


{# Text without white space at its ends. The engines' own trim disagree on what that is. #}
{% macro trimmed(text) -%}
    {{ 'trim' if target.type == 'duckdb' else 'btrim' }}({{ text }}, ' ' || chr(9) || chr(10) || chr(13))
{%- endmacro %}
