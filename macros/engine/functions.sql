{# Small functions that the engines spell differently. Each has a case in
   tests/dbt/engine_macros.sql. #}

{# Microseconds since 1970, whole. #}
{% macro epoch_us(timestamp) -%}
    {%- if target.type == 'postgres' -%}
        cast(extract(epoch from {{ timestamp }}) * 1000000 as bigint)
    {%- else -%}
        epoch_us({{ timestamp }})
    {%- endif -%}
{%- endmacro %}


{# How often a whole number goes into another one of 0 or more. #}
{% macro quotient(number, divisor) -%}
    (({{ number }}) {{ '/' if target.type == 'postgres' else '//' }} {{ divisor }})
{%- endmacro %}


{# One row for each whole number from `first` to `last` (in a select list). #}
{% macro whole_numbers(first, last) -%}
    {%- if target.type == 'postgres' -%}
        generate_series({{ first }}, {{ last }})
    {%- else -%}
        unnest(generate_series({{ first }}, {{ last }}))
    {%- endif -%}
{%- endmacro %}


{# The array of the given expressions without its nulls. #}
{% macro array_compact(expressions) -%}
    {%- if target.type == 'postgres' -%}
        array_remove(cast(array[{{ expressions | join(', ') }}] as text[]), null)
    {%- else -%}
        list_filter(
            cast([{{ expressions | join(', ') }}] as text[]), lambda item: item is not null
        )
    {%- endif -%}
{%- endmacro %}


{# Number of elements, 0 for an empty array. #}
{% macro array_size(array) -%}
    {%- if target.type == 'postgres' -%}cardinality({{ array }}){%- else -%}len({{ array }}){%- endif -%}
{%- endmacro %}


{% macro empty_array() -%}
    cast({% if target.type == 'postgres' %}'{}'{% else %}[]{% endif %} as text[])
{%- endmacro %}


{% macro empty_object() -%}
    cast('{}' as {{ type_json() }})
{%- endmacro %}


{# The text at a top-level key of a JSON object, null where there is none. #}
{% macro json_text(document, key) -%}
    ({{ document }} ->> '{{ key }}')
{%- endmacro %}


{# Columns folded into a JSON object under the given names. Shallow: a null column
   adds no key, and a key the object already has wins, even when its value is null.
   A base that is no object is left as it is; nothing to fold into nothing is null. #}
{% macro json_fold(base, columns) -%}
    {%- if target.type == 'postgres' -%}
        case
            when {{ base }} is not null and jsonb_typeof({{ base }}) <> 'object' then {{ base }}
            when {{ base }} is null and coalesce({% for column in columns.values() %}cast({{ column }} as text){{ ', ' if not loop.last }}{% endfor %}) is null then null
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
            when coalesce({% for column in columns.values() %}cast({{ column }} as text){{ ', ' if not loop.last }}{% endfor %}) is null then {{ base }}
            else cast('{' || array_to_string(list_sort(list_concat(
                list_transform(
                    coalesce(json_keys({{ base }}), []),
                    lambda name: cast(to_json(name) as text) || ':' || cast({{ base }} -> name as text)
                ),
                list_filter([
                    {%- for name, column in columns.items() %}
                    case
                        when {{ column }} is not null
                            and not coalesce(json_exists({{ base }}, '$."{{ name }}"'), false)
                            then '"{{ name }}":' || cast(to_json({{ column }}) as text)
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


{# A timestamp as ISO 8601 text in UTC with microseconds, for JSON documents. #}
{% macro iso_text(timestamp) -%}
    {%- if target.type == 'postgres' -%}
        to_char({{ timestamp }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    {%- else -%}
        strftime({{ timestamp }} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')
    {%- endif -%}
{%- endmacro %}


{# A JSON object of names to SQL expressions. #}
{% macro json_object(pairs) -%}
    {{ 'jsonb_build_object' if target.type == 'postgres' else 'json_object' }}(
        {%- for name, expression in pairs.items() %}
        '{{ name }}', {{ expression }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{# One row for each top-level key of a JSON object given as text (in a select list). #}
{% macro json_keys(text) -%}
    {%- if target.type == 'postgres' -%}
        jsonb_object_keys(cast({{ text }} as jsonb))
    {%- else -%}
        unnest(json_keys({{ text }}))
    {%- endif -%}
{%- endmacro %}


{# Aggregate: the distinct values in order. Sorted by bytes on every engine. #}
{% macro distinct_sorted_array(expression) -%}
    {%- if target.type == 'postgres' -%}
        array_agg(distinct {{ expression }} collate "C" order by {{ expression }} collate "C")
    {%- else -%}
        list_sort(list(distinct {{ expression }}))
    {%- endif -%}
{%- endmacro %}


{# Marks a CTE that costs much and is read several times, or whose columns the next step uses
   several times: Postgres puts a plain step into the next one and computes an expression at
   each of its uses, and the uses of uses multiply. #}
{% macro computed_once() -%}
    {{ return('' if target.type == 'spark' else 'materialized') }}
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


{# A double as a JSON number, whole ones without a fraction on every engine. #}
{% macro json_number(expression) -%}
    {%- if target.type == 'postgres' -%}
        to_jsonb({{ expression }})
    {%- else -%}
        case
            when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e15
                then to_json(cast({{ expression }} as bigint))
            else to_json({{ expression }})
        end
    {%- endif -%}
{%- endmacro %}


{# Text without white space at its ends. The engines' own trim disagree on what that is. #}
{% macro trimmed(text) -%}
    {{ 'btrim' if target.type == 'postgres' else 'trim' }}({{ text }}, ' ' || chr(9) || chr(10) || chr(13))
{%- endmacro %}
