{{ config(tags=['macros']) }}

{# Statistics, evaluated: a failing row names the case. Expected values are SciPy's. #}
{%- set double = type_double() -%}
{%- set numbers = [
    ['significant', significant('cast(123456789.4 as ' ~ double ~ ')'), 123456789, 0],
    ['significant of a small number', significant('cast(-0.0012345678949 as ' ~ double ~ ')'), -0.00123456789, 1e-15],
    ['significant of 0', significant('cast(0 as ' ~ double ~ ')'), 0, 0],
    ['significant of next to nothing', significant('cast(1e-300 as ' ~ double ~ ') * 1e-10'), 0, 1e-300 if target.type == 'spark' else 0],
    ['normal_above 0', normal_above('cast(0 as ' ~ double ~ ')'), 0.5, 1e-7],
    ['normal_above 1.96', normal_above('cast(1.959963984540054 as ' ~ double ~ ')'), 0.025, 1e-8],
    ['normal_above 6', normal_above('cast(6 as ' ~ double ~ ')'), 9.865876450376946e-10, 1e-15],
    ['normal_above -1', normal_above('cast(-1 as ' ~ double ~ ')'), 0.8413447460685429, 1e-7],
    ['normal_above far away', normal_above('cast(60 as ' ~ double ~ ')'), 0, 1e-300],
    ['normal_below 1', normal_below('cast(1 as ' ~ double ~ ')'), 0.8413447460685429, 1e-7],
    ['normal_density 1', normal_density('cast(1 as ' ~ double ~ ')'), 0.24197072451914337, 1e-15],
    ['gamma_quantile', gamma_quantile('cast(20 as ' ~ double ~ ')', '400', '1.959963984540054'), 0.07418, 1e-4],
    ['gamma_quantile of next to nothing', gamma_quantile('cast(0.2 as ' ~ double ~ ')', '10', '-1.96'), 0, 1e-9],
    ['wilson_low', wilson_low('cast(10 as bigint)', 'cast(100 as bigint)'), 0.0552291, 1e-6],
    ['wilson_low of more than all', wilson_low('cast(7 as bigint)', 'cast(5 as bigint)'), 0.565518, 1e-6],
    ['wilson_low of nothing', wilson_low('cast(0 as bigint)', 'cast(0 as bigint)'), none, 0],
    ['half_life_weight', half_life_weight('cast(28 as ' ~ double ~ ')', 14), 0.25, 1e-15],
    ['half_life_weight after ages', half_life_weight('cast(40000 as ' ~ double ~ ')', 14), 9.332636185032189e-302, 1e-305],
    ['normal_below z95', normal_below('cast(' ~ z95() ~ ' as ' ~ double ~ ')'), 0.975, 1e-8],
    ['sample_variance', sample_variance('cast(4 as bigint)', 'cast(10 as ' ~ double ~ ')', 'cast(30 as ' ~ double ~ ')'), 1.6666666666666667, 1e-15],
    ['sample_variance of one', sample_variance('cast(1 as bigint)', 'cast(2 as ' ~ double ~ ')', 'cast(4 as ' ~ double ~ ')'), none, 0],
    ['sample_variance of equals', sample_variance('cast(2 as bigint)', 'cast(4 as ' ~ double ~ ')', 'cast(8 as ' ~ double ~ ')'), none, 0],
    ['relative_lift', relative_lift('cast(3 as ' ~ double ~ ')', 'cast(2 as ' ~ double ~ ')'), 0.5, 0],
    ['relative_lift over nothing', relative_lift('cast(3 as ' ~ double ~ ')', 'cast(0 as ' ~ double ~ ')'), none, 0],
    ['relative_lift_variance', relative_lift_variance('cast(3 as ' ~ double ~ ')', '2', '4', 'cast(2 as ' ~ double ~ ')', '3', '5'), 0.4625, 1e-15],
    ['shrunk_to_zero', shrunk_to_zero('cast(0.5 as ' ~ double ~ ')', '0.09', '0.3'), 0.25, 1e-15],
    ['shrunk_deviation', shrunk_deviation('cast(0.09 as ' ~ double ~ ')', '0.3'), 0.21213203435596426, 1e-15],
    ['expected_loss at even', expected_loss('cast(0 as ' ~ double ~ ')', 'cast(0.5 as ' ~ double ~ ')'), 0.19947114020071635, 1e-7],
    ['expected_loss of a lead', expected_loss('cast(0.5 as ' ~ double ~ ')', 'cast(0.5 as ' ~ double ~ ')'), 0.04165773528908937, 1e-7],
    ['expected_loss of the unknown', expected_loss('cast(null as ' ~ double ~ ')', 'cast(0.5 as ' ~ double ~ ')'), none, 0],
    ['log_of_lift', log_of_lift('cast(0.25 as ' ~ double ~ ')'), 0.22314355131420976, 1e-15],
    ['variance_within', variance_within(4, 2, 'cast(56 as ' ~ double ~ ')', '52'), 2, 0],
    ['variance_between', variance_between('cast(4 as ' ~ double ~ ')', 2, '12', 'cast(56 as ' ~ double ~ ')', '52', '8'), 7, 0],
    ['variance_between of equal means', variance_between('cast(4 as ' ~ double ~ ')', 2, '12', 'cast(40 as ' ~ double ~ ')', '36', '8'), -1, 0],
    ['gamma_weight', gamma_weight('cast(4 as ' ~ double ~ ')', '2'), 2, 0],
    ['gamma_weight of equals', gamma_weight('cast(4 as ' ~ double ~ ')', '0'), 1 / (var('least_spread') ** 2 * 4), 1e-12],
    ['normal_posterior_mean', normal_posterior_mean('4', 'cast(6 as ' ~ double ~ ')', 'cast(2 as ' ~ double ~ ')', '3', 'cast(0.5 as ' ~ double ~ ')'), 2.25, 1e-15],
    ['normal_posterior_mean of the prior', normal_posterior_mean('0', '0', 'cast(2 as ' ~ double ~ ')', '3', 'cast(0.5 as ' ~ double ~ ')'), 3, 1e-15],
    ['normal_posterior_deviation', normal_posterior_deviation('4', 'cast(2 as ' ~ double ~ ')', 'cast(0.5 as ' ~ double ~ ')'), 0.5, 1e-15],
    ['difference_variance', difference_variance(2, 'cast(2.5 as ' ~ double ~ ')', '17', '0', '8'), 6.25, 0],
    ['difference_variance of equals', difference_variance(2, 'cast(2.5 as ' ~ double ~ ')', '12', '0', '0'), 0, 0],
    ['beta_log_kernel', beta_log_kernel('cast(3 as ' ~ double ~ ')', '2', 'cast(0.25 as ' ~ double ~ ')'), -3.060270794691562, 1e-14],
    ['beta_log_kernel of the uniform', beta_log_kernel('cast(1 as ' ~ double ~ ')', '1', 'cast(0.25 as ' ~ double ~ ')'), 0, 0],
    ['log_of_lift of all lost', log_of_lift('cast(-1 as ' ~ double ~ ')'), -36.841361487904734, 1e-12],
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

sample as (

    select
        cast(numbers.value as {{ double }}) as value,
        'all' as everyone
    from (values (1.0), (2.0), (2.0), (4.5)) as numbers (value)

),

aggregates as (

    select
        'exact_sum' as case_name,
        {{ exact_sum('value') }} as got,
        9.5 as expected
    from sample
    union all
    select
        'exact_mean',
        {{ exact_mean('value') }},
        2.375
    from sample
    union all
    select
        'exact_mean of the known ones',
        {{ exact_mean('case when value > 1 then value end') }},
        3.0
    from (
        select 2.0 as value
        union all
        select 4.0
        union all
        select 1.0
    ) as some_unknown
    union all
    select
        'exact_mean of nothing',
        {{ exact_mean('value') }},
        null
    from sample
    where value > 9
    union all
    select
        'median_of',
        {{ median_of('value') }},
        2
    from sample
    union all
    select
        'quantile_of',
        {{ quantile_of('value', 0.9) }},
        3.75
    from sample

),

ranks as (

    select
        'mid_rank of ' || value as case_name,
        {{ mid_rank('value', 'everyone') }} as got,
        case value when 1 then 0.125 when 2 then 0.5 else 0.875 end as expected
    from sample

),

{# One of its group that is known has no rank; of two, one is lower. #}
gaps as (

    select
        numbers.grouping_of,
        numbers.place,
        cast(numbers.value as {{ double }}) as value
    from (
        values ('one', 1, 7), ('one', 2, null), ('two', 1, 7), ('two', 2, 9), ('two', 3, null)
    ) as numbers (grouping_of, place, value)

),

gap_ranks as (

    select
        'rank_among_several: ' || grouping_of || ' ' || place as case_name,
        {{ rank_among_several('value', 'grouping_of') }} as got,
        case
            when grouping_of = 'two' and place = 1 then 0.25
            when grouping_of = 'two' and place = 2 then 0.75
        end as expected
    from gaps
    union all
    select
        'mean_of_known: ' || grouping_of || ' ' || place,
        {{ mean_of_known(['value', 'cast(null as ' ~ double ~ ')', 'value + 2']) }},
        value + 1
    from gaps

),

cases as (

    select
        case_name,
        got,
        expected,
        tolerance
    from numbers
    union all
    select
        case_name,
        got,
        cast(expected as {{ double }}),
        cast(1e-12 as {{ double }})
    from aggregates
    union all
    select
        case_name,
        got,
        cast(expected as {{ double }}),
        cast(1e-12 as {{ double }})
    from ranks
    union all
    select
        case_name,
        got,
        cast(expected as {{ double }}),
        cast(1e-12 as {{ double }})
    from gap_ranks

)

select *
from cases
where (got is null) <> (expected is null)
    or abs(got - expected) > tolerance
