{{ config(tags=['macros']) }}

{# The small parts of the forecasts, evaluated: a failing row names the case. #}
{%- set double = type_double() -%}

with

systems as (

    -- 4x + 2y + z = 11, 2x + 5y + 3z = 21, x + 3y + 6z = 25
    select
        1 as fit_id,
        cast(4 as {{ double }}) as a_0_0,
        cast(2 as {{ double }}) as a_0_1,
        cast(1 as {{ double }}) as a_0_2,
        cast(5 as {{ double }}) as a_1_1,
        cast(3 as {{ double }}) as a_1_2,
        cast(6 as {{ double }}) as a_2_2,
        cast(11 as {{ double }}) as b_0,
        cast(21 as {{ double }}) as b_1,
        cast(25 as {{ double }}) as b_2

),

{{ solve_symmetric('systems', 'fit_id', ['x', 'y', 'z']) }}

{# Two posts, and pseudo-observations near (3, 0), one of the first coefficient, four of the second:
   numpy.linalg.lstsq([[0.5, 0.5], [0.25, 0], [1, 0], [0, 2]], [1, 1, 3, 0]) is
   1012 / 353 and -18 / 353. #}
observations as (

    select
        1 as fit_id,
        cast(3 as {{ double }}) as toward,
        cast(1 as {{ double }}) as goal,
        cast(numbers.x_0 as {{ double }}) as x_0,
        cast(numbers.x_1 as {{ double }}) as x_1
    from (values (0.5, 0.5), (0.25, 0)) as numbers (x_0, x_1)

),

equations as (

    {{ ridge_equations('observations', 'fit_id', ['x', 'y'], [1, 4], 'toward', 'goal') }}

),

sample as (

    select
        cast(numbers.position as bigint) as position,
        cast(numbers.value as {{ double }}) as value,
        cast(numbers.other as {{ double }}) as other,
        'all' as everyone
    from (values (1, 10, 3), (2, 20, 1), (3, 20, 4), (4, 50, 4)) as numbers (position, value, other)

),

ranks as (

    select
        position,
        value,
        {{ doubled_rank('value', 'everyone') }} as value_rank,
        {{ doubled_rank('other', 'everyone') }} as other_rank,
        {{ doubled_rank('everyone', 'everyone') }} as no_rank
    from sample

),

cases as (

    select
        'solve_symmetric x' as case_name,
        x as got,
        cast(1 as {{ double }}) as expected
    from solved
    union all
    select
        'solve_symmetric: first equation',
        4 * x + 2 * y + z,
        11
    from solved
    union all
    select
        'solve_symmetric: second equation',
        2 * x + 5 * y + 3 * z,
        21
    from solved
    union all
    select
        'solve_symmetric: third equation',
        x + 3 * y + 6 * z,
        25
    from solved
    union all
    select
        'ridge_equations: a pseudo-observation is one more',
        a_0_0,
        1.3125
    from equations
    union all
    select
        'ridge_equations: first',
        (1012 * a_0_0 - 18 * a_0_1) / 353 - b_0,
        0
    from equations
    union all
    select
        'ridge_equations: second',
        (1012 * a_0_1 - 18 * a_1_1) / 353 - b_1,
        0
    from equations
    union all
    select
        'standardised',
        {{ standardised('7.0', '5.0', '4.0') }},
        0.5
    union all
    select
        'standardised far away',
        {{ standardised('-70.0', '5.0', '4.0') }},
        -3
    union all
    select
        'standardised without spread',
        {{ standardised('7.0', '5.0', '0.0') }},
        0
    union all
    select
        'standardised unknown',
        {{ standardised('cast(null as ' ~ double ~ ')', '5.0', '4.0') }},
        0
    union all
    select
        'lot_of_post: the first',
        {{ lot_of_post("cast('ffffffff-ffff-ffff-ffff-ffffffffff00' as " ~ type_uuid() ~ ")") }},
        1 / 512.0
    union all
    select
        'lot_of_post: the last but sixteen',
        {{ lot_of_post("cast('00000000-0000-0000-0000-0000000000ef' as " ~ type_uuid() ~ ")") }},
        479 / 512.0
    union all
    select
        'at_position between',
        {{ at_position('value', 'position', '3.25') }},
        27.5
    from sample
    union all
    select
        'at_position on one',
        {{ at_position('value', 'position', '1') }},
        10
    from sample
    union all
    select
        'midnight_after a midnight',
        {{ hours_between(
            moment('2026-03-16 00:00:00+00'),
            midnight_after(moment('2026-03-16 00:00:00+00'))
        ) }},
        0
    union all
    select
        'midnight_after the hour after one',
        {{ hours_between(
            moment('2026-03-16 01:00:00+00'),
            midnight_after(moment('2026-03-16 01:00:00+00'))
        ) }},
        23
    union all
    select
        'doubled_rank of a tie',
        value_rank,
        5
    from ranks
    where position = 3
    union all
    -- scipy.stats.spearmanr([10, 20, 20, 50], [3, 1, 4, 4])
    select
        'correlation_of_ranks',
        {{ correlation_of_ranks('value_rank', 'other_rank') }},
        0.5
    from ranks
    union all
    select
        'correlation_of_ranks without any',
        {{ correlation_of_ranks('value_rank', 'no_rank') }},
        null
    from ranks
    union all
    select
        'monday_of a Sunday evening',
        {{ hours_between(
            monday_of(moment('2026-11-22 23:59:59+00')),
            moment('2026-11-16 00:00:00+00'),
        ) }},
        0
    union all
    select
        'monday_of a Monday',
        {{ hours_between(
            monday_of(moment('2026-11-23 00:00:00+00')),
            moment('2026-11-23 00:00:00+00'),
        ) }},
        0

)

select *
from cases
where (got is null) <> (expected is null)
    or abs(got - expected) > 1e-12
