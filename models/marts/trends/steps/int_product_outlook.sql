{#- How popular a product will be in the next seven days against the last seven, from what its
   snapshots show. What each sign is worth is fitted for every day on the snapshots whose next
   seven days were over by then, of all products, and drawn to defaults while these are few. -#}
{%- set double = type_double() -%}
{%- set log_change -%}
    greatest(-1, least(1, case
        when weekly_change > -0.99 then ln(1 + weekly_change)
        when weekly_change is not null then -1
        else 0
    end))
{%- endset -%}
{%- set log_level -%}
    case
        when is_a_count then greatest(-1, least(1, ln(
            (popularity + floor_popularity) / (last_popularity + floor_popularity)
        )))
        else 0
    end
{%- endset -%}
{#- Each sign's SQL, of -1 to 1, and its weight while no past weeks are known: of logarithms, 0.1 is
   about a tenth more popularity. By default the product keeps what it has
   gained within the week, half of its past change goes on, and the rest helps a little. -#}
{%- set signs = {
    'constant': ('1', 0),
    'momentum': ('greatest(-3, least(3, coalesce(momentum, 0))) / 3.0', 0.05),
    'velocity': ('coalesce(2 * velocity_rank - 1, 0)', 0.02),
    'acceleration': ('coalesce(2 * acceleration_rank - 1, 0)', 0.01),
    'novelty': ('novelty', 0.03),
    'competition': ('coalesce(2 * competition_rank - 1, 0)', -0.02),
    'past change': (log_change, 0.5),
    'this week': (log_level, 1),
} -%}
{%- set unknowns = range(signs | length) -%}
{%- set by_default -%}
    {%- for name, (expression, weight) in signs.items() -%}
    {{ ' + ' if not loop.first }}{{ weight }} * x_{{ loop.index0 }}
    {%- endfor -%}
{%- endset -%}

with

history as (

    select * from {{ ref('int_product_snapshots') }}

),

scored as (

    select * from {{ ref('int_product_popularity') }}

),

momenta as (

    select * from {{ ref('int_product_momentum') }}

),

{# Popularity of the seven days up to a snapshot and of those after it; of scores on any scale. #}
weeks as (

    select
        history.*,
        avg(greatest(-1e300, least(1e300, popularity))) over last_week as last_mean,
        avg(greatest(-1e300, least(1e300, popularity))) over next_week as next_mean,
        count(*) over next_week as next_snapshots
    from history
    where popularity is not null
    window
        last_week as (
            partition by product_id
            order by snapshot_time
            range between interval '167' hour preceding and current row
        ),
        next_week as (
            partition by product_id
            order by snapshot_time
            range between interval '1' second following and interval '604800' second following
        )

),

rounded as (

    select
        weeks.*,
        {{ significant('last_mean') }} as last_popularity,
        {{ significant('next_mean') }} as next_popularity
    from weeks

),

measured as (

    select
        rounded.*,
        momenta.momentum,
        momenta.weekly_change,
        {{ significant('rounded.velocity') }} as velocity_value,
        {{ significant('rounded.competition') }} as competition_value,
        {{ significant('scored.acceleration') }} as acceleration_value,
        {{ novelty('rounded.age_days') }} as novelty,
        0.01 * rounded.largest_popularity as floor_popularity,
        rounded.largest_popularity > 0
        and rounded.popularity >= 0
        and rounded.last_popularity >= 0 as is_a_count
    from rounded
    left join scored
        on rounded.product_id = scored.product_id
        and rounded.snapshot_time = scored.snapshot_time
    left join momenta
        on rounded.product_id = momenta.product_id
        and rounded.snapshot_time = momenta.snapshot_time

),

ranked as (

    select
        measured.*,
        {{ rank_among_several('velocity_value', 'day') }} as velocity_rank,
        {{ rank_among_several('competition_value', 'day') }} as competition_rank,
        {{ rank_among_several('acceleration_value', 'day') }} as acceleration_rank
    from measured

),

{# The signs; what is not known is 0. #}
signed as {{ computed_once() }} (

    select
        ranked.*,
        {%- for name, (expression, weight) in signs.items() %}
        cast({{ expression }} as {{ double }}) as x_{{ loop.index0 }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ranked

),

outcomes as (

    select
        signed.*,
        greatest(-2, least(2, ln(
            (next_popularity + floor_popularity) / (last_popularity + floor_popularity)
        ))) as outcome
    from signed
    where next_snapshots >= 2
        and is_a_count
        and next_popularity >= 0

),

by_day as (

    select
        day,
        count(*) as examples,
        {%- for i in unknowns %}
        {%- for j in range(i, signs | length) %}
        {{ exact_part('x_' ~ i ~ ' * x_' ~ j) }} as a_{{ i }}_{{ j }},
        {%- endfor %}
        {{ exact_part('x_' ~ i ~ ' * (outcome - (' ~ by_default ~ '))') }} as b_{{ i }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from outcomes
    group by day

),

days as (

    select distinct day from signed

),

{# Weeks that were over when a day began. #}
summed as (

    select
        days.day,
        {%- for i in unknowns %}
        {%- for j in range(i, signs | length) %}
        sum(by_day.a_{{ i }}_{{ j }}) over so_far as a_{{ i }}_{{ j }},
        {%- endfor %}
        sum(by_day.b_{{ i }}) over so_far as b_{{ i }},
        {%- endfor %}
        sum(by_day.examples) over so_far as examples
    from days
    left join by_day on days.day = by_day.day
    window
        so_far as (
            order by cast(days.day as timestamp)
            range between unbounded preceding and interval '192' hour preceding
        )

),

equations as (

    select
        day,
        coalesce(examples, 0) as examples,
        {%- for i in unknowns %}
        {%- for j in range(i, signs | length) %}
        coalesce(cast(a_{{ i }}_{{ j }} as {{ double }}), 0)
        {{- ' + ' ~ var('outlook_ridge') if i == j }} as a_{{ i }}_{{ j }},
        {%- endfor %}
        coalesce(cast(b_{{ i }} as {{ double }}), 0) as b_{{ i }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed

),

{{ swept('equations', ['day', 'examples'], signs | length) }}
fits as (

    select
        day,
        examples,
        {%- for name, (expression, weight) in signs.items() %}
        b_{{ loop.index0 }} + {{ weight }} as w_{{ loop.index0 }}{{ ',' if not loop.last }}
        {%- endfor %}
    from swept

),

final as (

    select
        signed.product_id,
        signed.snapshot_time,
        greatest(-5, least(5,
            {% for i in unknowns -%}
            {{ '+ ' if not loop.first }}fits.w_{{ i }} * signed.x_{{ i }}
            {% endfor -%}
        )) as expected_log,
        cast(fits.examples as bigint) as fitted_weeks,
        {% for name in signs -%}
        '{{ ', ' if not loop.first }}{{ name }} '
        || cast(
            cast({{ whole('fits.w_' ~ loop.index0 ~ ' * 100') }} * 0.01 as decimal(18, 2))
            as {{ type_text() }}
        )
        || {% endfor -%}
        ' (fitted on '
        || {{ counted('fits.examples', 'past week') }}
        || ')' as why
    from signed
    inner join fits on signed.day = fits.day

)

select * from final
