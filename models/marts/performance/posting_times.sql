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
        min(known_at) as known_at
    from outcomes
    group by platform

),

posted as (

    select
        platform,
        definition_era,
        cast(extract(isodow from published_at at time zone 'UTC') as bigint) as weekday,
        cast(extract(hour from published_at at time zone 'UTC') as bigint) as hour,
        ln(1 + views_24h) as log_views,
        known_at
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

residuals as (

    select
        posted.platform,
        posted.weekday,
        posted.hour,
        posted.known_at,
        posted.log_views - baselines.log_views as residual
    from posted
    inner join baselines
        on posted.platform = baselines.platform
        and posted.definition_era = baselines.definition_era

),

cells as (

    select
        platform,
        weekday,
        hour,
        count(*) as n_posts,
        {{ exact_mean('residual') }} as mean_residual
    from residuals
    group by platform, weekday, hour

),

within_cells as (

    select
        residuals.platform,
        {{ exact_sum('power(residuals.residual - cells.mean_residual, 2)') }} as squares,
        max(residuals.known_at) as known_at
    from residuals
    inner join cells
        on residuals.platform = cells.platform
        and residuals.weekday = cells.weekday
        and residuals.hour = cells.hour
    group by residuals.platform

),

between_cells as (

    select
        platform,
        count(*) as cell_count,
        cast(sum(n_posts) as {{ type_double() }}) as posts,
        cast(sum(n_posts * n_posts) as {{ type_double() }}) as squared_posts,
        {{ exact_sum('n_posts * power(mean_residual, 2)') }} as squares
    from cells
    group by platform

),

{# One-way analysis of variance: how far posts of one cell lie apart, and how far the cells
   do beyond that. Finding no difference between cells is taken for chance. #}
variances as (

    select
        within_cells.platform,
        within_cells.known_at,
        within_cells.squares
        / nullif(between_cells.posts - between_cells.cell_count, 0) as within_variance,
        between_cells.squares
        - (between_cells.cell_count - 1) * within_cells.squares
        / nullif(between_cells.posts - between_cells.cell_count, 0) as excess_squares,
        between_cells.posts - between_cells.squared_posts / between_cells.posts as effective_posts
    from within_cells
    inner join between_cells on within_cells.platform = between_cells.platform

),

spreads as (

    select
        platform,
        known_at,
        within_variance,
        within_variance / greatest(
            coalesce({{ ratio('excess_squares', 'effective_posts') }}, 0),
            power(cast({{ var('least_spread') }} as {{ type_double() }}), 2)
        ) as prior_posts
    from variances

),

shrunk as (

    select
        accounts.platform,
        weekdays.weekday,
        hours.hour,
        coalesce(cells.n_posts, 0) as n_posts,
        cells.mean_residual,
        cells.mean_residual * (cells.n_posts / (cells.n_posts + spreads.prior_posts)) as effect,
        sqrt(spreads.within_variance / (cells.n_posts + spreads.prior_posts)) as effect_sd,
        coalesce(cells.n_posts, 0) >= {{ var('min_cell_posts') }} as has_effect,
        coalesce(spreads.known_at, accounts.known_at) as known_at
    from accounts
    cross join weekdays
    cross join hours
    left join cells
        on accounts.platform = cells.platform
        and weekdays.weekday = cells.weekday
        and hours.hour = cells.hour
    left join spreads on accounts.platform = spreads.platform

),

ranked as (

    select
        platform,
        weekday,
        hour,
        row_number() over (
            partition by platform order by {{ significant('effect') }} desc, weekday, hour
        ) as rank
    from shrunk
    where has_effect
        and effect is not null

),

final as (

    select
        shrunk.platform,
        shrunk.weekday,
        shrunk.hour,
        shrunk.n_posts,
        case when shrunk.has_effect then shrunk.mean_residual end as effect_raw,
        case when shrunk.has_effect then shrunk.effect end as effect,
        case when shrunk.has_effect then shrunk.effect - 1.96 * shrunk.effect_sd end as effect_lo,
        case when shrunk.has_effect then shrunk.effect + 1.96 * shrunk.effect_sd end as effect_hi,
        ranked.rank,
        shrunk.known_at
    from shrunk
    left join ranked
        on shrunk.platform = ranked.platform
        and shrunk.weekday = ranked.weekday
        and shrunk.hour = ranked.hour

)

select * from final
