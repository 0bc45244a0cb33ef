{{ config(tags=['macros']) }}

{# The arithmetic of posts, evaluated. A failing row names the case. #}
{%- set double = type_double() -%}
{%- set unknown = 'cast(null as bigint)' -%}
{%- set hour = 3600000000 -%}
{%- set published = moment('2026-03-01 00:00:00+00') -%}
{%- set numbers = [
    ['ratio', ratio('cast(1 as bigint)', 'cast(8 as bigint)'), 0.125],
    ['ratio to nothing', ratio('cast(1 as bigint)', 'cast(0 as bigint)'), none],
    ['ratio of the unknown', ratio(unknown, 'cast(8 as bigint)'), none],
    ['ratio to the unknown', ratio('cast(1 as bigint)', unknown), none],
    ['rate_per_view', rate_per_view('cast(5 as bigint)', 'cast(100 as bigint)'), 0.05],
    ['rate_per_view under min_views', rate_per_view('cast(5 as bigint)', 'cast(99 as bigint)'), none],
    ['rate_per_view a rounding error under min_views', rate_per_view('cast(5 as bigint)', 'cast(99.99999999 as ' ~ double ~ ')'), 0.050000000005],
    ['rate_per_view of unknown views', rate_per_view('cast(5 as bigint)', unknown), none],
    ['rate_per_view of the unknown', rate_per_view(unknown, 'cast(100 as bigint)'), none],
    ['sum_known', sum_known(['cast(2 as bigint)', 'cast(3 as bigint)', 'cast(4 as bigint)']), 9],
    ['sum_known of some', sum_known([unknown, 'cast(3 as bigint)', unknown]), 3],
    ['sum_known of none', sum_known([unknown, unknown]), none],
    ['hours_between', hours_between(published, moment('2026-03-02 01:30:00+00')), 25.5],
    ['hours_between of the unknown', hours_between(published, moment()), none],
    ['age_us', age_us(published, moment('2026-03-01 00:00:00.000001+00')), 1],
    ['exp_less_one of nothing', exp_less_one('cast(0 as ' ~ double ~ ')'), 0],
    ['exp_less_one next to 0', exp_less_one('cast(1e-10 as ' ~ double ~ ')'), '1.00000000005e-10'],
    ['exp_less_one below where both ways meet', exp_less_one('cast(0.0009999 as ' ~ double ~ ')'), '0.00100040006666333'],
    ['exp_less_one from there on', exp_less_one('cast(0.001 as ' ~ double ~ ')'), '0.0010005001667083417'],
    ['exp_less_one', exp_less_one('cast(1 as ' ~ double ~ ')'), '1.718281828459045'],
    ['quotient', quotient('cast(7 as bigint)', 4), 1],
    ['quotient that leaves nothing', quotient('cast(8 as bigint)', 4), 2],
    ['age_us of an early poll', age_us(published, moment('2026-02-28 23:56:00+00')), 0],
] -%}
{#- Name, hours and value of the poll before, of the poll after, value at 24 hours. -#}
{%- set at_24_hours = [
    ['interpolate, straight in log-log', 12, 100, 48, 400, 200],
    ['interpolate, a steeper slope', 12, 100, 48, 1600, 400],
    ['interpolate, no slope', 12, 100, 48, 100, 100],
    ['interpolate at the poll after', 12, 100, 24, 400, 400],
    ['interpolate at the poll before', 24, 100, 48, 400, 100],
    ['interpolate from age 0', 0, 0, 48, 400, 200],
    ['interpolate from age 0 with views', 0, 100, 48, 400, 250],
    ['interpolate from no views', 12, 0, 48, 360, 120],
] -%}
{%- set statuses = [
    ['no poll after', 0, none, 'pending'],
    ['a poll at the horizon', 1, 24, 'exact'],
    ['half the age', 18, 30, 'ok'],
    ['the whole age', 12, 36, 'coarse'],
    ['more than the age', 12, 37, 'gap'],
] %}

with

numbers as (
    {% for name, got, expected in numbers %}
    select
        '{{ name }}' as case_name,
        cast({{ got }} as {{ double }}) as got,
        cast({{ expected if expected is not none else 'null' }} as {{ double }}) as expected
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

at_24_hours as (
    {% for name, hours0, value0, hours1, value1, expected in at_24_hours %}
    select
        '{{ name }}' as case_name,
        cast({{ 24 * hour }} as bigint) as horizon_us,
        cast({{ hours0 * hour }} as bigint) as age0,
        cast({{ value0 }} as bigint) as value0,
        cast({{ hours1 * hour }} as bigint) as age1,
        cast({{ value1 }} as bigint) as value1,
        cast({{ expected }} as {{ double }}) as expected
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

interpolated as (

    select
        case_name,
        {{ interpolate('horizon_us', 'age0', 'value0', 'age1', 'value1') }} as got,
        expected
    from at_24_hours

),

{# What grows up to that age and from it on. -#}
grown as (

    select
        'growth up to it, ' || case_name as case_name,
        {{ growth_between('age0', 'horizon_us', 'age0', 'value0', 'age1', 'value1') }} as got,
        expected - value0 as expected
    from at_24_hours
    union all
    select
        'growth from it on, ' || case_name as case_name,
        {{ growth_between('horizon_us', 'age1', 'age0', 'value0', 'age1', 'value1') }} as got,
        value1 - expected as expected
    from at_24_hours

),

statuses as (
    {% for name, hours0, hours1, expected in statuses %}
    select
        'bracket_status, {{ name }}' as case_name,
        '{{ expected }}' as expected,
        cast({{ 24 * hour }} as bigint) as horizon_us,
        cast({{ hours0 * hour }} as bigint) as views_age0,
        cast({{ hours1 * hour if hours1 is not none else 'null' }} as bigint) as views_age1
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

computed as (

    select * from numbers
    union all
    select * from interpolated
    union all
    select * from grown

),

wrong as (

    select
        case_name,
        cast(got as text) as got,
        cast(expected as text) as expected
    from computed
    where (got is null) <> (expected is null)
        or abs(got - expected) > 1e-12 * abs(expected)
    union all
    select
        case_name,
        {{ bracket_status('views') }} as got,
        expected
    from statuses
    where {{ bracket_status('views') }} <> expected

)

select * from wrong
