{{ config(tags=['macros']) }}

{# Priors by moments and the median of an array, evaluated: a failing row names the case. #}
{%- set double = type_double() -%}
{%- set no_number = 'cast(null as ' ~ double ~ ')' -%}
{%- set array = array_of([4, 1, 3, 2], double) -%}
{%- set cases = [
    ['gamma_spread', gamma_spread('cast(12 as bigint)', 'cast(16 as bigint)', '0.5', '8'), 0.5],
    ['gamma_spread at the mean', gamma_spread('cast(8 as bigint)', 'cast(16 as bigint)', '0.5', '8'), 0],
    ['gamma_spread without an event anywhere', gamma_spread('cast(0 as bigint)', 'cast(16 as bigint)', '0', '8'), none],
    ['gamma_excess', gamma_excess('2', 'cast(8 as bigint)', '0.5', '16'), 0.125],
    ['gamma_excess of chance alone', gamma_excess('0', 'cast(8 as bigint)', '0.5', '16'), -0.125],
    ['gamma_prior_rate', gamma_prior_rate('0.125', '0.5'), 16],
    ['gamma_prior_rate of chance alone', gamma_prior_rate('-0.125', '0.5'), 1000000],
    ['gamma_prior_rate of next to no difference', gamma_prior_rate('1e-9', '0.5'), 1000000],
    ['gamma_prior_rate of the unknown', gamma_prior_rate(no_number, '0.5'), 1000000],
    ['beta_prior_weight', beta_prior_weight('8', 'cast(8 as bigint)', '128', '16', '0.5'), 3.2],
    ['beta_prior_weight of chance alone', beta_prior_weight('0', 'cast(8 as bigint)', '128', '16', '0.5'), 1000000],
    ['beta_prior_weight is at least 2', beta_prior_weight('32', 'cast(8 as bigint)', '128', '16', '0.5'), 2],
    ['beta_prior_weight where all succeed', beta_prior_weight('0', 'cast(8 as bigint)', '128', '16', '1'), 1000000],
    ['beta_prior_weight of single trials', beta_prior_weight('2', 'cast(8 as bigint)', '8', '1', '0.5'), 1000000],
    ['array_median of an even number', array_median(array), 2.5],
    ['array_median of one', array_median(array_of([7], double)), 7],
    ['array_median of nothing', array_median(array_of([], double)), none],
] %}

with

cases as (
    {% for name, got, expected in cases %}
    select
        '{{ name }}' as case_name,
        cast({{ got }} as {{ double }}) as got,
        cast({{ expected if expected is not none else 'null' }} as {{ double }}) as expected
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select *
from cases
where (got is null) <> (expected is null)
    or abs(got - expected) > 1e-12 * abs(expected)
