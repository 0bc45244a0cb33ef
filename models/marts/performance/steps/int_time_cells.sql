{%- set double = type_double() -%}
with

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

weekdays as (

    {% for day in range(1, 8) -%}
    select cast({{ day }} as bigint) as weekday
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

hours as (

    {% for hour in range(24) -%}
    select cast({{ hour }} as bigint) as hour
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

accounts as (

    select
        platform,
        coalesce(max(case when views_24h is not null then known_at end), min(known_at)) as known_at
    from outcomes
    group by platform

),

posted as (

    select
        platform,
        definition_era,
        {{ iso_weekday('published_at') }} as weekday,
        cast(extract(hour from {{ in_utc('published_at') }}) as bigint) as hour,
        ln(1 + views_24h) as log_views
    from outcomes
    where views_24h is not null

),

{# What is usual for the account, as long as the platform counted views alike. #}
baselines as (

    select
        platform,
        definition_era,
        {{ exact_mean('log_views') }} as log_views
    from posted
    group by platform, definition_era

),

cells as (

    select
        posted.platform,
        posted.weekday,
        posted.hour,
        cast(count(*) as {{ double }}) as n,
        {{ exact_sum('posted.log_views - baselines.log_views') }} as total,
        {{ exact_sum('power(posted.log_views - baselines.log_views, 2)') }} as squares
    from posted
    inner join baselines
        on posted.platform = baselines.platform
        and posted.definition_era = baselines.definition_era
    group by posted.platform, posted.weekday, posted.hour

),

{# How far posts of one hour of the week lie apart. Where few share one, that is drawn to how
   far all of the account's do, and that to 1: between posts of one account a factor of e is
   usual. #}
noises as (

    select
        platform,
        greatest(
            (
                {{ exact_sum('squares - total * total / n') }}
                + {{ var('noise_prior_posts') }} * (1 + {{ exact_sum('squares') }}) / sum(n)
            ) / (sum(n) - count(*) + {{ var('noise_prior_posts') }}),
            {{ var('least_spread') ** 2 }}
        ) as noise_variance
    from cells
    group by platform

),

final as (

    select
        accounts.platform,
        weekdays.weekday,
        hours.hour,
        cast(coalesce(cells.n, 0) as bigint) as n_posts,
        cells.total / cells.n as mean_residual,
        coalesce({{ significant('noises.noise_variance') }}, 1) as noise_variance,
        accounts.known_at
    from accounts
    cross join weekdays
    cross join hours
    left join cells
        on accounts.platform = cells.platform
        and weekdays.weekday = cells.weekday
        and hours.hour = cells.hour
    left join noises on accounts.platform = noises.platform

)

select * from final
