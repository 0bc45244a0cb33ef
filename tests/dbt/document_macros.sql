{{ config(tags=['macros']) }}

{# JSON documents taken apart and put together, evaluated: the engines must say the same. A
   failing row names the case. #}
{%- set document -%}
cast('{"a":"x","b":2.5,"c":[1,"y",null,{"z":1},true],"d":null,"e":{"f":1},"g":false,"$.h":"i","j":[],"k":"one"}' as {{ type_json() }})
{%- endset -%}
{%- set no_json = 'cast(null as ' ~ type_json() ~ ')' -%}
{%- set list = "cast('[\"x\"]' as " ~ type_json() ~ ")" -%}
{%- set no_text = 'cast(null as text)' -%}
{%- set texts = [
    ['json_list_text', json_list_text(document, 'c'), '1, y'],
    ['json_list_text with a separator', json_list_text(document, 'c', ' / '), '1 / y'],
    ['json_list_text of a text', json_list_text(document, 'k'), 'one'],
    ['json_list_text of nothing', json_list_text(document, 'j'), none],
    ['json_list_text of a number', json_list_text(document, 'b'), none],
    ['json_list_text of no key', json_list_text(document, 'zz'), none],
    ['json_list_text of null', json_list_text(no_json, 'a'), none],
    ['quoted_json', quoted_json(text_literal('say "é" \\ /')), '"say \\"é\\" \\\\ /"'],
    ['quoted_json of null', quoted_json(no_text), none],
    ['byte_length', byte_length("'é…a'"), '6'],
    ['byte_length of nothing', byte_length("''"), '0'],
    ['byte_length of null', byte_length(no_text), none],
    ['ascii_lower', ascii_lower("'ÉAbZ-Ä'"), 'Éabz-Ä'],
    ['document_text', document_text({'a': "cast('1' as text)", 'b': no_text, 'c': quoted_json("'x'")}), '{"a":1,"c":"x"}'],
    ['document_text of nothing', document_text({'a': no_text}), '{}'],
    ['shortened keeps', shortened("' two' || chr(10) || ' words '", 20), 'two  words'],
    ['shortened cuts', shortened("'abcdef'", 4), 'abc…'],
    ['shortened at its length', shortened("'abcd'", 4), 'abcd'],
    ['shortened counts characters', shortened("'ééééé'", 4), 'ééé…'],
    ['shortened of nothing', shortened("' '", 4), none],
    ['shortened of null', shortened(no_text, 4), none],
    ['whole of a half', 'cast(' ~ whole('cast(2.5 as ' ~ type_double() ~ ')') ~ ' as text)', '3'],
    ['whole of a negative half', 'cast(' ~ whole('cast(-2.5 as ' ~ type_double() ~ ')') ~ ' as text)', '-2'],
    ['whole of nearly a half', 'cast(' ~ whole('cast(0.145 as ' ~ type_double() ~ ') * 100') ~ ' as text)', '15'],
    ['whole of more than there are', 'cast(' ~ whole('cast(1e30 as ' ~ type_double() ~ ')') ~ ' as text)', '9000000000000000000'],
    ['whole of less than there are', 'cast(' ~ whole('cast(-1e30 as ' ~ type_double() ~ ')') ~ ' as text)', '-9000000000000000000'],
    ['whole of null', 'cast(' ~ whole('cast(null as ' ~ type_double() ~ ')') ~ ' as text)', none],
    ['three_digits', 'cast(' ~ three_digits('cast(12345 as ' ~ type_double() ~ ')') ~ ' as text)', '12300'],
    ['three_digits of few', 'cast(' ~ three_digits('cast(7.4 as ' ~ type_double() ~ ')') ~ ' as text)', '7'],
    ['three_digits of a half', 'cast(' ~ three_digits('cast(1235 as ' ~ type_double() ~ ')') ~ ' as text)', '1240'],
    ['three_digits of a billion', 'cast(' ~ three_digits('cast(1234567890 as ' ~ type_double() ~ ')') ~ ' as text)', '1230000000'],
    ['percent_text', percent_text('cast(0.0561 as ' ~ type_double() ~ ')'), '5.6'],
    ['percent_text of a whole', percent_text('cast(0.06 as ' ~ type_double() ~ ')'), '6.0'],
    ['percent_text of null', percent_text('cast(null as ' ~ type_double() ~ ')'), none],
    ['change_text up', change_text('cast(0.243 as ' ~ type_double() ~ ')'), '+24%'],
    ['change_text down', change_text('cast(-0.031 as ' ~ type_double() ~ ')'), '-3%'],
    ['change_text of nothing much', change_text('cast(-0.001 as ' ~ type_double() ~ ')'), '0%'],
    ['likely_text', likely_text('cast(-0.031 as ' ~ type_double() ~ ')', 'cast(0.243 as ' ~ type_double() ~ ')'), 'likely -3% to +24%'],
    ['minute_text', minute_text(moment('2026-03-01 10:30:59+01')), '2026-03-01T09:30Z'],
    ['counted one', counted('1', 'post'), '1 post'],
    ['counted none', counted('0', 'post'), '0 posts'],
    ['spoken_tag of a hashtag', spoken_tag("'hashtag'", "'ad_free'"), '#ad_free'],
    ['spoken_tag of a choice', spoken_tag("'variable'", "'hook_type=bold_claim'"), 'hook type: bold claim'],
    ['spoken_tag of a style', spoken_tag("'style'", "'fast_cuts'"), 'style: fast cuts'],
    ['tag_in_a_sentence of a hashtag', tag_in_a_sentence("'hashtag'", "'ad_free'"), '#ad_free'],
    ['tag_in_a_sentence of a choice', tag_in_a_sentence("'variable'", "'hook_type=a=bold_claim'"), 'the hook type "a=bold claim"'],
    ['tag_in_a_sentence of a style', tag_in_a_sentence("'style'", "'fast_cuts'"), 'the style "fast cuts"'],
] -%}
{# Two-sided p values and quantiles of SciPy. #}
{%- set numbers = [
    ['student_two_sided 9 degrees', student_two_sided('cast(2.262157 as ' ~ type_double() ~ ')', 'cast(9 as ' ~ type_double() ~ ')'), 0.05, 1e-4],
    ['student_two_sided far away', student_two_sided('cast(-6 as ' ~ type_double() ~ ')', 'cast(30 as ' ~ type_double() ~ ')'), 1.3943e-06, 2e-8],
    ['student_two_sided 0', student_two_sided('cast(0 as ' ~ type_double() ~ ')', 'cast(9 as ' ~ type_double() ~ ')'), 1, 0],
    ['student_two_sided 4 degrees', student_two_sided('cast(2.776445 as ' ~ type_double() ~ ')', 'cast(4 as ' ~ type_double() ~ ')'), 0.05, 1e-3],
    ['student_quantile 4 degrees', student_quantile(1.959963984540054, 'cast(4 as ' ~ type_double() ~ ')'), 2.776445, 1e-3],
    ['student_quantile 9 degrees', student_quantile(1.959963984540054, 'cast(9 as ' ~ type_double() ~ ')'), 2.262157, 3e-5],
    ['student_quantile 100 degrees', student_quantile(1.959963984540054, 'cast(100 as ' ~ type_double() ~ ')'), 1.983972, 1e-6],
] -%}

with

documents as (

    select
        1 as id,
        {{ document }} as document

),

no_objects as (

    select
        1 as id,
        {{ list }} as document
    union all
    select
        2 as id,
        {{ no_json }} as document

),

cases as (
    {% for name, got, expected in texts %}
    select
        '{{ name }}' as case_name,
        cast({{ got }} as text) as got,
        {{ text_literal(expected) }} as expected
    union all
    {%- endfor %}
    select
        'json_fields' as case_name,
        {{ joined_text(
            "fields.field || ' ' || fields.field_type || ' ' || coalesce(fields.field_value, '-')",
            ', ',
            'fields.field'
        ) }} as got,
        'a text x, b number 2.5, d null -, g boolean false, k text one' as expected
    from ({{ json_fields('documents', 'id', 'document') }}) as fields
    where fields.field_type not in ('array', 'object') and fields.field not like '$%'
    union all
    select
        'json_fields of a name with signs',
        {{ joined_text('fields.field_value', ',', 'fields.field_value') }},
        'i'
    from ({{ json_fields('documents', 'id', 'document') }}) as fields
    where fields.field = '$.h'
    union all
    select
        'json_fields of no object',
        cast(count(fields.field) as text),
        '0'
    from ({{ json_fields('no_objects', 'id', 'document') }}) as fields
    union all
    select
        'array_elements' as case_name,
        {{ joined_text('item', ',', 'item') }},
        'a,b'
    from (select {{ array_elements(array_of(["'b'", "'a'"], type_text())) }} as item) as items
    union all
    select
        'array_text' as case_name,
        coalesce({{ array_text('items.item', 'items.place', 'items.place > 1') }}, '-')
        || coalesce({{ array_text('items.item', 'items.place', 'items.place > 9') }}, '-'),
        '["b",3]-'
    from (values ('3', 3), ('"b"', 2), ('1', 1)) as items (item, place)
    union all
    select
        'script_hook' as case_name,
        {{ joined_text(script_hook('scripts'), ',', 'scripts.place') }},
        'Stop!,Deck day'
    from (
        select
            1 as place,
            cast('{"hook":"Stop!"}' as {{ type_json() }}) as creative_variables,
            'Deck day' as script_text
        union all
        select
            2,
            cast('{}' as {{ type_json() }}),
            'Deck day'
        union all
        select
            3,
            null,
            ''
    ) as scripts
    {% for name, got, expected, tolerance in numbers %}
    union all
    select
        '{{ name }}',
        case
            when abs(({{ got }}) - {{ expected }}) <= {{ tolerance }} then 'right'
            else cast({{ got }} as text)
        end,
        'right'
    {%- endfor %}

)

select *
from cases
where got is distinct from expected
