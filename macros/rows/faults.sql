{# Rules that many tables share, as conditions; a model writes what is wrong with a row into the
   text `faults`: `reason: field`, separated by commas, empty for a valid row. #}


{# Condition: a count is negative, or larger than anything that is counted. #}
{% macro impossible_count(column) -%}
    ({{ column }} < 0 or {{ column }} > {{ var('max_count') }})
{%- endmacro %}


{# Condition: a time is before any platform, or more than a day after the row was landed. #}
{% macro impossible_time(column) -%}
    ({{ column }} < {{ earliest_time() }} or {{ column }} > _loaded_at + interval '24' hour)
{%- endmacro %}


{% macro earliest_time() -%}
    cast('{{ var("earliest_time") }}' as {{ type_timestamptz() }})
{%- endmacro %}


{# The reasons in a text of faults, each once, in the order of this list. #}
{% macro reasons_in(faults) -%}
    {%- set cases = [] -%}
    {%- for reason in ['missing_required', 'missing_parent', 'out_of_range', 'not_published_yet'] -%}
        {%- do cases.append(
            '\n                case when ' ~ faults ~ " like '%" ~ reason ~ "%' then '" ~ reason ~ "' end"
        ) -%}
    {%- endfor -%}
    {{ array_compact(cases) }}
{%- endmacro %}
