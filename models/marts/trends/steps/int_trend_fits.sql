{{ config(materialized='table') }}

{%- set names = lift_coefficients() | list %}
{%- set defaults = lift_coefficients() %}
{%- set strength = 20 %}
{%- set usual_deviation = 0.35 %}

with

days as (

    select * from {{ ref('int_video_days') }}
    where not is_partial

),

examples as (

    select
        platform,
        outcome_day,
        {{ lift_weight('videos') }} as weight,
        cast(1 as {{ type_double() }}) as x_0,
        log_rise as x_1,
        listed_longer as x_2,
        log_lift as y
    from {{ ref('int_tag_shares') }}
    where videos >= {{ var('trend_min_videos') }}
        and log_lift is not null

),

{# Normal equations of the tags whose outcome was known on a day, not before. #}
known as (

    select
        platform,
        outcome_day,
        count(*) as tags,
        {%- for i in range(3) %}
        {%- for j in range(i, 3) %}
        {{ exact_part('weight * x_' ~ i ~ ' * x_' ~ j) }} as a_{{ i }}_{{ j }},
        {%- endfor %}
        {{ exact_part('weight * x_' ~ i ~ ' * y') }} as b_{{ i }},
        {%- endfor %}
        {{ exact_part('weight * y * y') }} as squares
    from examples
    group by platform, outcome_day

),

so_far as (

    select
        days.platform,
        days.day,
        cast(coalesce(sum(known.tags) over recent, 0) as bigint) as tags,
        {%- for i in range(3) %}
        {%- for j in range(i, 3) %}
        coalesce(cast(sum(known.a_{{ i }}_{{ j }}) over recent as {{ type_double() }}), 0)
            as s_{{ i }}_{{ j }},
        {%- endfor %}
        coalesce(cast(sum(known.b_{{ i }}) over recent as {{ type_double() }}), 0) as t_{{ i }},
        {%- endfor %}
        coalesce(cast(sum(known.squares) over recent as {{ type_double() }}), 0) as squares
    from days
    left join known
        on days.platform = known.platform
        and days.day = known.outcome_day
    window recent as (
        partition by days.platform
        order by {{ days_from("date '2000-01-01'", 'days.day') }}
        range between {{ var('trend_fit_days') }} preceding and current row
    )

),

{# Pseudo-observations draw each coefficient to what it was elsewhere. #}
systems as (

    select
        so_far.*,
        {%- for i in range(3) %}
        {%- for j in range(i, 3) %}
        s_{{ i }}_{{ j }}{{ ' + ' ~ strength if i == j }} as a_{{ i }}_{{ j }},
        {%- endfor %}
        t_{{ i }} + {{ strength * defaults[names[i]] }} as b_{{ i }}{{ ',' if not loop.last }}
        {%- endfor %}
    from so_far

),

numbered as (

    select
        systems.*,
        row_number() over (order by platform, day) as fit
    from systems

),

{{ solve_symmetric('numbered', 'fit', names) }}

{# What the fit leaves, from the sums alone. #}
misses as (

    select
        solved.*,
        numbered.platform,
        numbered.day,
        numbered.tags,
        numbered.squares
        {%- for i in range(3) %}
        - 2 * solved.{{ names[i] }} * numbered.t_{{ i }}
        {%- for j in range(3) %}
        + solved.{{ names[i] }} * solved.{{ names[j] }}
        * numbered.s_{{ [i, j] | min }}_{{ [i, j] | max }}
        {%- endfor %}
        {%- endfor %}
            as squared_misses
    from solved
    inner join numbered on solved.fit = numbered.fit

),

final as (

    select
        platform,
        day,
        tags,
        {%- for name in names %}
        {{ name }},
        {%- endfor %}
        sqrt(
            (greatest(squared_misses, 0) + {{ strength * usual_deviation ** 2 }})
            / (tags + {{ strength }})
        ) as deviation
    from misses

)

select * from final
