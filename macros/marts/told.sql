{# What platforms tell of a post beyond its counts. Few sources tell any of it: from staging on it
   is one document, so that the many polls without it carry one empty column. #}

{# The landed columns, by kind (TOLD of loaders/schema.py). #}
{% macro told_kinds() -%}
    {{ return({
        'average_watch_seconds': 'number',
        'three_second_rate': 'number',
        'click_through_rate': 'number',
        'impressions': 'integer',
        'reach': 'integer',
        'saves': 'integer',
        'followers_gained': 'integer',
        'is_ai_generated': 'text',
    }) }}
{%- endmacro %}


{% macro told_columns() -%}
    {{ return(told_kinds().keys() | list) }}
{%- endmacro %}


{# The document of a landed record; null for the many that were told nothing. #}
{% macro told() -%}
    {%- set pairs = {} -%}
    {%- set numbers = [] -%}
    {%- for name, kind in told_kinds().items() -%}
        {%- do pairs.update({name: json_number(name) if kind == 'number' else name}) -%}
        {%- if kind == 'number' -%}{%- do numbers.append(name) -%}{%- endif -%}
    {%- endfor -%}
    case
        when {{ told_columns() | join(' is not null\n            or ') }} is not null
        then {{ json_object(pairs, numbers) }}
    end
{%- endmacro %}


{# One of its values, typed; null where it was not told. #}
{% macro told_value(name) -%}
    {{ as_kind(json_text('told', name), told_kinds()[name]) }}
{%- endmacro %}


{# A share of 1, null where it can be none. #}
{% macro share_or_null(value) -%}
    case when {{ within(value, 0, 1) }} then {{ value }} end
{%- endmacro %}
