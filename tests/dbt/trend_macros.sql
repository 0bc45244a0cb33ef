{{ config(tags=['macros']) }}

{# Statistics of trends, evaluated: a failing row names the case. Expected values are
   NumPy's and pymannkendall's. #}
{%- set double = type_double() -%}
{%- set number = 'cast(%s as ' ~ double ~ ')' -%}
{%- set numbers = [
    ['robust_z', robust_z(number % 9, number % 4, number % 2, number % 3, 7), 1.68625, 1e-12],
    ['robust_z without MAD', robust_z(number % 9, number % 4, number % 0, number % 2, 7), 1.9947116205515936, 1e-12],
    ['robust_z where nothing differs', robust_z(number % 9, number % 4, number % 0, number % 0, 7), none, 0],
    ['robust_z of too few', robust_z(number % 9, number % 4, number % 2, number % 3, 6), none, 0],
    ['ewma_z', ewma_z(number % 7, number % 6, number % 6, number % 18, number % 66), 2.8284271247461903, 1e-12],
    ['ewma_z of too few', ewma_z(number % 7, number % 6, number % 7.3, number % 18, number % 66), none, 0],
    ['ewma_z where nothing differs', ewma_z(number % 7, number % 6, number % 6, number % 18, number % 54), none, 0],
    ['kl_trend', kl_trend('10', '100', '20', '1000'), 0.16094379124341004, 1e-12],
    ['kl_trend of nothing before', kl_trend('10', '100', '0', '1000'), 0.5298317366548036, 1e-12],
    ['kl_trend without days before', kl_trend('10', '100', '0', 'cast(null as bigint)'), none, 0],
    ['log_share of none', log_share('0', '99'), -5.298317366548036, 1e-12],
    ['mann_kendall_z rising', mann_kendall_z('28', '8', '0'), 3.340383700311406, 1e-12],
    ['mann_kendall_z with ties', mann_kendall_z('-15', '9', '48'), -1.4812257933030566, 1e-12],
    ['mann_kendall_z of no trend', mann_kendall_z('0', '8', '0'), 0, 0],
    ['mann_kendall_z of too few', mann_kendall_z('21', '7', '0'), none, 0],
    ['mann_kendall_z where all are equal', mann_kendall_z('1', '8', '1176'), none, 0],
    ['novelty after a week', novelty(number % 7), 0.5, 1e-12],
    ['novelty after ages', novelty(number % 400000), 9.332636185032189e-302, 1e-305],
    ['log_lift', log_lift(number % 0.05, number % 0.01, '200'), 1.5163474893680886, 1e-12],
    ['log_lift of a new tag', log_lift(number % 0.05, number % 0, '200'), 3.713572066704308, 1e-12],
    ['log_lift without a past', log_lift(number % 0.05, 'cast(null as ' ~ double ~ ')', '200'), none, 0],
    ['lift_weight', lift_weight('9'), 0.75, 1e-12],
    ['cautious_log_lift', cautious_log_lift(number % 1.5244, number % 1, '13'), 0.5, 1e-12],
    ['cautious_log_lift of a falling tag', cautious_log_lift(number % -0.5, number % 0, '2'), -0.5, 1e-12],
    ['trend_score of what stays', trend_score(number % 0), 16.49484536082474, 1e-12],
    ['trend_score at the lift of a breakout', trend_score('ln(' ~ number % 1.5 ~ ')'), 50, 1e-12],
] %}

with

numbers as (
    {% for name, got, expected, tolerance in numbers %}
    select
        '{{ name }}' as case_name,
        cast({{ got }} as {{ double }}) as got,
        cast({{ expected if expected is not none else 'null' }} as {{ double }}) as expected,
        cast({{ tolerance }} as {{ double }}) as tolerance
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

tags as (

    select
        ' #Funny Cats ' as tag,
        'funny cats' as expected
    union all
    select
        '##Été',
        'été'
    union all
    select
        '# ',
        ''

),

days as (

    select
        {{ moment('2026-03-01 23:30:00-05:00') }} as moment,
        date '2026-03-02' as expected

),

cases as (

    select case_name from numbers
    where (got is null) <> (expected is null)
        or abs(got - expected) > tolerance
    union all
    select 'plain_tag of ' || tag from tags
    where {{ plain_tag('tag') }} <> expected
    union all
    select 'utc_day' from days
    where {{ utc_day('moment') }} <> expected

)

select * from cases
