{# Numbers, sentences and documents for people. Documents are written as text, so that both
   engines agree on every byte. Each macro has a case in tests/dbt/document_macros.sql. #}

{# The nearest whole number, halves up on every engine; null for null. What 64 bits cannot
   hold is the largest round number that they can: a lift has no bounds. #}
{% macro whole(value) -%}
    cast(floor(case
        when {{ value }} > 9e18 then 9e18
        when {{ value }} < -9e18 then -9e18
        else {{ significant(value) }}
    end + 0.5) as bigint)
{%- endmacro %}


{# A count to three digits, for reading. #}
{% macro three_digits(value) -%}
    {%- set unit = 'power(cast(10 as ' ~ type_double() ~ '), greatest(length(' ~ as_text('cast(floor(' ~ value ~ ') as bigint)') ~ ') - 3, 0))' -%}
    cast({{ whole('(' ~ value ~ ') / ' ~ unit) }} * {{ unit }} as bigint)
{%- endmacro %}


{# A share as text in percent with one decimal place, without the sign %. #}
{% macro percent_text(share) -%}
    cast(cast({{ whole('(' ~ share ~ ') * 1000') }} * 0.1 as decimal(18, 1)) as {{ type_text() }})
{%- endmacro %}


{# A relative change as text: +24%, -3%, 0%. #}
{% macro change_text(change) -%}
    replace(replace('+' || {{ as_text(whole('(' ~ change ~ ') * 100')) }} || '%', '+-', '-'), '+0%', '0%')
{%- endmacro %}


{# The ends of an interval of relative changes in words: likely +3% to +24%. #}
{% macro likely_text(low, high) -%}
    'likely ' || {{ change_text(low) }} || ' to ' || {{ change_text(high) }}
{%- endmacro %}


{# `count` with its noun: 1 post, 2 posts. #}
{% macro counted(count, noun) -%}
    (cast({{ count }} as {{ type_text() }}) || case when {{ count }} = 1 then ' {{ noun }}' else ' {{ noun }}s' end)
{%- endmacro %}


{# A text in one line of at most `length` characters: white space at its ends and control
   characters go, what is too long ends in an ellipsis; null when nothing is left. #}
{% macro shortened(text, length) -%}
    {%- set line = trimmed(replaced(text, '[\\x01-\\x1f\\x7f]', ' ')) -%}
    nullif(
        case when length({{ line }}) > {{ length }} then left({{ line }}, {{ length - 1 }}) || '…' else {{ line }} end,
        ''
    )
{%- endmacro %}


{# A tag as a writer says it: "#ad", "hook type: question", "style: fast cuts". #}
{% macro spoken_tag(kind, tag) -%}
    (case
        when {{ kind }} = 'hashtag' then '#' || {{ tag }}
        when {{ kind }} = 'variable' then replace(replace({{ tag }}, '=', ': '), '_', ' ')
        else {{ kind }} || ': ' || replace({{ tag }}, '_', ' ')
    end)
{%- endmacro %}


{# The same within a sentence: '#ad', 'the hook type "question"', 'the style "fast cuts"'. #}
{% macro tag_in_a_sentence(kind, tag) -%}
    (case
        when {{ kind }} = 'hashtag' then '#' || {{ tag }}
        when {{ kind }} = 'variable' then 'the '
            || replace(split_part({{ tag }}, '=', 1), '_', ' ')
            || ' "' || replace({{ replaced(tag, '^[^=]*=') }}, '_', ' ') || '"'
        else 'the ' || {{ kind }} || ' "' || replace({{ tag }}, '_', ' ') || '"'
    end)
{%- endmacro %}


{# A JSON object as text, of names to SQL of JSON texts; what is null is left out. #}
{% macro document_text(pairs) -%}
    ('{' || substr(
        {%- for name, value in pairs.items() %}
        coalesce(',"{{ name }}":' || ({{ value }}), ''){{ ' ||' if not loop.last }}
        {%- endfor %}, 2
    ) || '}')
{%- endmacro %}


{# What a script of the relation `scripts` opens with: its hook, else its text. #}
{% macro script_hook(scripts) -%}
    {{ shortened(
        'coalesce(' ~ json_text(scripts ~ '.creative_variables', 'hook') ~ ', nullif(' ~ scripts ~ ".script_text, ''))", 120
    ) }}
{%- endmacro %}


{# A time to the minute in UTC, as a reader says it: 2026-03-01T09:30Z. #}
{% macro minute_text(timestamp) -%}
    (substr({{ iso_text(timestamp) }}, 1, 16) || 'Z')
{%- endmacro %}


{# Aggregate: a JSON array as text, of those JSON texts whose row meets `condition`, in the order
   of `place`; null when none does. #}
{% macro array_text(item, place, condition) -%}
    ('[' || {{ joined_text(item, ',', place, condition) }} || ']')
{%- endmacro %}
