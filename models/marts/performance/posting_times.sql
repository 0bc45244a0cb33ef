{#- A post's views are the account's, and what the hour, the weekday and the cell of both add to
   their logarithm, and noise. How far hours, weekdays and cells differ is not known: every
   combination of the spreads below is tried, each gives the effects that are then most likely
   (best linear unbiased prediction), and counts as far as the data are likely under it. -#}
{%- set double = type_double() -%}
{%- set days = range(7) -%}
{%- set spreads = ['platform', 'hour_variance', 'weekday_variance', 'cell_variance'] -%}

with

cells as (

    select * from {{ ref('int_time_cells') }}

),

{% for level, deviations in {
    'hour': var('time_spreads'), 'weekday': var('time_spreads'), 'cell': var('cell_spreads')
}.items() -%}
{{ level }}_spreads as (

    {% for deviation in deviations -%}
    select cast({{ deviation ** 2 }} as {{ double }}) as {{ level }}_variance
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

{% endfor -%}
{# Days of the week side by side. #}
by_hour as (

    select
        platform,
        hour,
        noise_variance,
        {%- for day in days %}
        cast(
            sum(case when weekday = {{ day + 1 }} then n_posts end) as {{ double }}
        ) as n_{{ day }},
        coalesce(
            max(case when weekday = {{ day + 1 }} then mean_residual end), 0
        ) as mean_{{ day }}{{ ',' if not loop.last }}
        {%- endfor %}
    from cells
    group by platform, hour, noise_variance

),

weighed as (

    select
        by_hour.*,
        hour_spreads.hour_variance,
        weekday_spreads.weekday_variance,
        cell_spreads.cell_variance,
        {%- for day in days %}
        by_hour.n_{{ day }} / (
            by_hour.n_{{ day }} * cell_spreads.cell_variance + by_hour.noise_variance
        ) as w_{{ day }}{{ ',' if not loop.last }}
        {%- endfor %}
    from by_hour
    cross join hour_spreads
    cross join weekday_spreads
    cross join cell_spreads

),

hours as {{ computed_once() }} (

    select
        *,
        1 / hour_variance
        {%- for day in days %}
        + w_{{ day }}
        {%- endfor %} as weight,
        {% for day in days -%}
        {{ '+ ' if not loop.first }}w_{{ day }} * mean_{{ day }}
        {% endfor -%}
        as total,
        {% for day in days -%}
        {{ '+ ' if not loop.first }}case when n_{{ day }} > 0 then ln(w_{{ day }}) else 0 end
        - w_{{ day }} * mean_{{ day }} * mean_{{ day }}
        {% endfor -%}
        as fit
    from weighed

),

{# The equations of the weekdays, in which every hour has the effect that fits best; and twice
   the log likelihood, but for a constant, as far as it does not need their solution. #}
equations as (

    select
        {{ spreads | join(', ') }},
        {%- for i in days %}
        {%- for j in range(i, 7) %}
        {%- if i == j %}
        {{ exact_sum('w_' ~ i ~ ' - w_' ~ i ~ ' * w_' ~ i ~ ' / weight') }}
        + 1 / weekday_variance as a_{{ i }}_{{ i }},
        {%- else %}
        -{{ exact_sum('w_' ~ i ~ ' * w_' ~ j ~ ' / weight') }} as a_{{ i }}_{{ j }},
        {%- endif %}
        {%- endfor %}
        {{ exact_sum('w_' ~ i ~ ' * (mean_' ~ i ~ ' - total / weight)') }} as b_{{ i }},
        {%- endfor %}
        {{ exact_sum('fit + total * total / weight - ln(hour_variance * weight)') }}
        - 7 * ln(weekday_variance) as fit
    from hours
    group by {{ spreads | join(', ') }}

),

{{ swept('equations', spreads + ['fit'], 7) }}
likelihoods as (

    select
        *,
        exp((
            fit - log_det + explained
            - max(fit - log_det + explained) over (partition by platform)
        ) / 2) as likelihood
    from swept

),

weekdays as {{ computed_once() }} (

    select
        *,
        likelihood / {{ exact_sum_over('likelihood', 'partition by platform') }} as credence
    from likelihoods

),

{# A weekday's effect is b, and a the inverse matrix: how the errors of the weekdays hang
   together. `lean` is by how much an hour's effect moves with each of them. #}
solved as (

    select
        hours.*,
        weekdays.credence,
        {%- for i in days %}
        weekdays.b_{{ i }},
        weekdays.a_{{ i }}_{{ i }},
        (
            {% for j in days -%}
            {{ '+ ' if not loop.first -}}
            weekdays.a_{{ [i, j] | min }}_{{ [i, j] | max }} * hours.w_{{ j }}
            {% endfor -%}
        ) / hours.weight as lean_{{ i }},
        {%- endfor %}
        (
            hours.total
            {%- for i in days %}
            - hours.w_{{ i }} * weekdays.b_{{ i }}
            {%- endfor %}
        ) / hours.weight as hour_effect
    from hours
    inner join weekdays
        on hours.platform = weekdays.platform
        and hours.hour_variance = weekdays.hour_variance
        and hours.weekday_variance = weekdays.weekday_variance
        and hours.cell_variance = weekdays.cell_variance

),

alone as {{ computed_once() }} (

    select
        *,
        1 / weight + (
            {% for i in days -%}
            {{ '+ ' if not loop.first }}w_{{ i }} * lean_{{ i }}
            {% endfor -%}
        ) / weight as variance_of_hour
    from solved

),

{# The variance of hour and weekday together. #}
told as (

    {% for day in days -%}
    select
        platform,
        cast({{ day + 1 }} as bigint) as weekday,
        hour,
        credence,
        hour_effect,
        b_{{ day }} as weekday_effect,
        mean_{{ day }} - hour_effect - b_{{ day }} as remainder,
        cell_variance * w_{{ day }} as kept,
        cell_variance,
        variance_of_hour,
        variance_of_hour + a_{{ day }}_{{ day }} - 2 * lean_{{ day }} as variance
    from alone
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

weighted as (

    select
        platform,
        weekday,
        hour,
        credence,
        hour_effect,
        weekday_effect,
        kept * remainder as cell_effect,
        variance_of_hour,
        (1 - kept) * ((1 - kept) * variance + cell_variance) as variance
    from told

),

averaged as (

    select
        platform,
        weekday,
        hour,
        {{ exact_sum('credence * hour_effect') }} as hour_effect,
        {{ exact_sum('credence * (variance_of_hour + hour_effect * hour_effect)') }} as hour_square,
        {{ exact_sum('credence * weekday_effect') }} as weekday_effect,
        {{ exact_sum('credence * cell_effect') }} as cell_effect,
        {{ exact_sum(
            'credence * (variance + power(hour_effect + weekday_effect + cell_effect, 2))'
        ) }} as mean_square
    from weighted
    group by platform, weekday, hour

),

summed as (

    select
        *,
        hour_effect + weekday_effect + cell_effect as effect
    from averaged

),

effects as (

    select
        *,
        {{ z95() }} * sqrt(greatest(mean_square - effect * effect, 0)) as margin,
        {{ z95() }} * sqrt(greatest(hour_square - hour_effect * hour_effect, 0)) as hour_margin
    from summed

),

ranked as (

    select
        cells.*,
        effects.effect,
        effects.margin,
        effects.hour_margin,
        effects.hour_effect,
        effects.weekday_effect,
        effects.cell_effect,
        round(cast(effects.effect * 1e9 as {{ double }})) as worth,
        sum(cells.n_posts) over (partition by cells.platform, cells.hour) as hour_n,
        sum(cells.n_posts) over (partition by cells.platform, cells.weekday) as weekday_n
    from cells
    inner join effects
        on cells.platform = effects.platform
        and cells.weekday = effects.weekday
        and cells.hour = effects.hour

),

final as (

    select
        platform,
        weekday,
        hour,
        n_posts,
        case when n_posts >= {{ var('min_cell_posts') }} then mean_residual end as effect_raw,
        effect,
        effect - margin as effect_lo,
        effect + margin as effect_hi,
        row_number() over (
            partition by platform order by worth desc, weekday asc, hour asc
        ) as rank,
        known_at,
        hour_effect,
        weekday_effect,
        cell_effect,
        cast(hour_n as bigint) as hour_n,
        cast(weekday_n as bigint) as weekday_n,
        hour_effect - hour_margin as hour_effect_lo,
        hour_effect + hour_margin as hour_effect_hi
    from ranked

)

select * from final
