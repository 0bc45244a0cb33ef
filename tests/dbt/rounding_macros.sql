{{ config(tags=['macros']) }}

{# Comparisons of computed doubles: a failing row names the case. Pairs of the size of the
   smallest p values, of shares, of large sums; what the last digits of each may do. #}
{%- set double = type_double() -%}
{%- set sizes = ['1e-300', '1e-12', '0.1', '1', '1e15', '1e300'] -%}
{%- set cases = [] -%}
{%- for sign in ['', '-'] -%}
{%- for size in sizes -%}
{%- set value = 'cast(' ~ sign ~ size ~ ' as ' ~ double ~ ')' -%}
{%- set away = value ~ ' * (1 + cast(1e-6 as ' ~ double ~ '))' -%}
{%- set same = value ~ ' * (1 + cast(1e-12 as ' ~ double ~ '))' -%}
{%- set larger, smaller = (away, value) if sign == '' else (value, away) -%}
{%- do cases.extend([
    [sign ~ size ~ ' is at most itself', at_most(value, value), true],
    [sign ~ size ~ ' is at most its like', at_most(same, value), true],
    [sign ~ size ~ ' is the like of it at most', at_most(value, same), true],
    [sign ~ size ~ ' and a millionth: at most', at_most(larger, smaller), false],
    [sign ~ size ~ ' and a millionth: at least', at_least(smaller, larger), false],
    [sign ~ size ~ ' and a millionth: below', less_than(smaller, larger), true],
    [sign ~ size ~ ' and a millionth: above', more_than(larger, smaller), true],
    [sign ~ size ~ ' is not below its like', less_than(value, same), false],
    [sign ~ size ~ ' is not above its like', more_than(same, value), false],
    [sign ~ size ~ ' lies on its bounds', within(value, value, value), true],
    [sign ~ size ~ ' lies below its bounds', within(smaller, larger, larger), false],
    [sign ~ size ~ ' lies above its bounds', within(larger, smaller, smaller), false],
]) -%}
{%- endfor -%}
{%- endfor -%}
{%- set nothing = 'cast(0 as ' ~ double ~ ')' -%}
{%- set unknown = 'cast(null as ' ~ double ~ ')' -%}
{%- set nan = "cast('nan' as " ~ double ~ ')' -%}
{%- set infinity = "cast('infinity' as " ~ double ~ ')' -%}
{%- do cases.extend([
    ['0 is at most 0', at_most(nothing, nothing), true],
    ['0 is not above 0', more_than(nothing, nothing), false],
    ['next to nothing is above 0', more_than('cast(1e-303 as ' ~ double ~ ')', 0), true],
    ['below 0 by little', at_least('cast(-1e-17 as ' ~ double ~ ')', 0), false],
    ['below 0 by a rounding of 1', at_least('cast(-1e-17 as ' ~ double ~ ')', 0, 1), true],
    ['below 0 by more than a rounding of 1', at_least('cast(-1e-8 as ' ~ double ~ ')', 0, 1), false],
    ['ends of opposite signs', at_most('cast(1e-17 as ' ~ double ~ ')', 'cast(-1e-17 as ' ~ double ~ ')', scale=1), true],
    ['a count', at_least('cast(100 as bigint)', 100), true],
    ['a count and a part', at_least('cast(99 as bigint)', '99.5'), false],
    ['a count as large as they come', at_most('cast(10000000000000000 as bigint)', 0), false],
    ['unknown value', at_most(unknown, nothing), none],
    ['unknown bound', at_most(nothing, unknown), none],
    ['unknown value within', within(unknown, nothing, nothing), none],
    ['unknown bound, and beyond the other', within('2.0', unknown, '1.0'), false],
    ['unknown is not finite', is_finite(unknown), none],
    ['NaN at most', at_most(nan, nothing), false],
    ['at most NaN', at_most(nothing, nan), false],
    ['NaN at most NaN', at_most(nan, nan), false],
    ['NaN below', less_than(nothing, nan), false],
    ['NaN above', more_than(nan, nothing), false],
    ['NaN within', within(nan, nothing, '1.0'), false],
    ['NaN is not finite', is_finite(nan), false],
    ['infinity at most', at_most(infinity, nothing), false],
    ['at most infinity', at_most(nothing, infinity), true],
    ['infinity at least', at_least('-' ~ infinity, nothing), false],
    ['infinity is not finite', is_finite(infinity), false],
    ['infinity below 0 is not finite', is_finite('-' ~ infinity), false],
    ['1e308 is finite', is_finite('cast(1e308 as ' ~ double ~ ')'), true],
]) -%}
with

cases as (
    {% for name, got, expected in cases %}
    select
        '{{ name }}' as case_name,
        {{ got }} as got,
        cast({{ expected if expected is not none else 'null' }} as boolean) as expected
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select *
from cases
where got is distinct from expected
