{{ config(tags=['macros']) }}

{# Each macro of macros/engine/functions.sql, evaluated: the engines must say the same. A
   failing row names the case. #}
{%- set time = moment('2026-11-22 17:02:09.123456+00') -%}
{%- set no_time = moment() -%}
{%- set no_text = 'cast(null as text)' -%}
{%- set object = "cast('{\"a\":null,\"b\":1}' as " ~ type_json() ~ ")" -%}
{%- set no_json = 'cast(null as ' ~ type_json() ~ ')' -%}
{%- set texts = [
    ['epoch_us', epoch_us(time), '1795366929123456'],
    ['epoch_us before 1970', epoch_us(moment('1969-12-31 23:59:59.999999+00')), '-1'],
    ['epoch_us of an offset', epoch_us(moment('1970-01-01 02:00:00+02')), '0'],
    ['epoch_us of null', epoch_us(no_time), none],
    ['iso_text', iso_text(time), '2026-11-22T17:02:09.123456Z'],
    ['iso_text of an offset', iso_text(moment('2026-01-01 00:30:00+02')), '2025-12-31T22:30:00.000000Z'],
    ['iso_text of null', iso_text(no_time), none],
    ['days_from', days_from("date '2028-02-28'", "date '2028-03-01'"), '2'],
    ['days_from an earlier one', days_from("date '2026-01-01'", "date '2025-12-31'"), '-1'],
    ['array_compact', array_words(array_compact(["'x'", no_text, "'y'"]), ','), 'x,y'],
    ['array_compact of nulls', array_size(array_compact([no_text])), '0'],
    ['array_size of nothing', array_size(empty_array()), '0'],
    ['array_size of null', array_size('cast(null as ' ~ type_text_array() ~ ')'), none],
    ['json_text', json_text(object, 'b'), '1'],
    ['json_text of a null', json_text(object, 'a'), none],
    ['json_text of no key', json_text(object, 'z'), none],
    ['first_match', first_match("'a/b.MP4?x=1'", '[.]([A-Za-z0-9]+)'), 'MP4'],
    ['first_match of nothing', first_match("'a/b'", '[.]([A-Za-z0-9]+)'), none],
    ['all_matches', array_words(all_matches("'x: b_c, y, z: a, z: a'", ': ([a-z_]+)'), ','), 'b_c,a,a'],
    ['all_matches of nothing', array_size(all_matches("'y'", ': ([a-z_]+)')), '0'],
    ['first_match of null', first_match(no_text, '(a)'), none],
] -%}
{%- set documents = [
    ['json_fold adds', json_fold("cast('{\"a\":1}' as " ~ type_json() ~ ")", {'b': "cast('x' as text)", 'c': no_text}), '{"b":"x","a":1}' if target.type == 'spark' else '{"a":1,"b":"x"}'],
    ['json_fold never overwrites', json_fold(object, {'a': "cast('x' as text)", 'b': "cast('y' as text)"}), '{"a":null,"b":1}'],
    ['json_fold keeps numbers and documents', json_fold(empty_object(), {'b': 'cast(2.5 as ' ~ type_double() ~ ')', 'c': object}, ['c']), '{"b":2.5,"c":{"a":null,"b":1}}'],
    ['json_fold into nothing', json_fold(no_json, {'b': "cast('x' as text)"}), '{"b":"x"}'],
    ['json_fold of nothing into nothing', json_fold(no_json, {'b': no_text}), none],
    ['json_fold of nothing', json_fold(object, {'c': no_text}), '{"a":null,"b":1}'],
    ['json_fold into what is no object', json_fold("cast('[1,2]' as " ~ type_json() ~ ")", {'b': "cast('x' as text)"}), '[1,2]'],
    ['json_fold escapes', json_fold(no_json, {'b': "cast('say \"hi\"' as text)"}), '{"b":"say\\"hi\\""}'],
    ['json_object', json_object({'a': '1', 'b': no_text}), '{"a":1,"b":null}'],
    ['empty_object', empty_object(), '{}'],
] %}

with

cases as (
    {% for name, got, expected in texts %}
    select
        '{{ name }}' as case_name,
        cast({{ got }} as text) as got,
        {{ text_literal(expected) }} as expected
    union all
    {%- endfor %}
    {%- for name, got, expected in documents %}
    select
        '{{ name }}' as case_name,
        replace(cast({{ got }} as text), ' ', '') as got,
        {{ text_literal(expected) }} as expected
    union all
    {%- endfor %}
    select
        'json_keys' as case_name,
        {{ joined_text('field', ',', 'field') }} as got,
        'a,b' as expected
    from (select {{ json_keys("'{\"b\":1,\"a\":{\"c\":2}}'") }} as field) as fields
    union all
    select
        'distinct_sorted_array' as case_name,
        {{ array_words(distinct_sorted_array('words.word'), ',') }} as got,
        'B,a,é' as expected
    from (values ('é'), ('a'), ('B'), ('a')) as words (word)
    union all
    select
        'first_by' as case_name,
        {{ first_by('numbers.word', 'numbers.place', "numbers.word <> 'no'") }} as got,
        'yes' as expected
    from (values (3, 'late'), (2, 'yes'), (1, 'no'), (4, 'no')) as numbers (place, word)
    union all
    select
        'last_by' as case_name,
        {{ last_by('numbers.word', 'numbers.place', "numbers.word <> 'no'") }} as got,
        'late' as expected
    from (values (3, 'late'), (2, 'yes'), (1, 'no'), (4, 'no')) as numbers (place, word)
    union all
    select
        'first_by of none' as case_name,
        {{ first_by('numbers.word', 'numbers.place', 'numbers.place > 9') }} as got,
        {{ no_text }} as expected
    from (values (3, 'late'), (2, 'yes')) as numbers (place, word)

)

select *
from cases
where got is distinct from expected
