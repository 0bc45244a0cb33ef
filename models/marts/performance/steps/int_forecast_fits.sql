{{ config(materialized='table') }}

{%- set training_posts = var('forecast_training_posts') -%}
{%- set names = growth_coefficients() -%}
{%- set features = growth_features() -%}
{#- Pseudo-observations that keep growth near the platform's own constant scaling. -#}
{%- set ridge = 5 -%}
{#- A bin's centre is drawn to that of all with the weight of so many posts. -#}
{%- set bin_weight = 10 -%}
{%- set bins = 5 -%}
{%- set last_bin = bins - 1 -%}

with

examples as (

    select
        examples.*,
        {{ monday_of("(examples.target_known_at - interval '0.000001' second)") }}
        + interval '168' hour as known_on_monday
    from {{ ref('int_forecast_examples') }} as examples
    where is_example

),

build as (

    select {{ as_of() }} as as_of

),

{# Each post serves its platform, within one meaning of a view, and all platforms. #}
scoped as (

    select
        platform as fit_platform,
        definition_era as fit_era,
        examples.*
    from examples
    union all
    select
        'all' as fit_platform,
        cast(0 as bigint) as fit_era,
        examples.*
    from examples

),

numbered as (

    select
        scoped.*,
        row_number() over (
            partition by fit_platform, fit_era, from_hours, target_hours
            order by target_known_at, post_id
        ) as position
    from scoped

),

known_by_week as (

    select
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        known_on_monday,
        count(*) as posts
    from scoped
    group by fit_platform, fit_era, from_hours, target_hours, known_on_monday

),

moments_of_fitting as (

    select distinct fit_at from {{ ref('int_forecast_examples') }}
    where fit_at is not null

),

{# How many posts were known at each of these times; everything is known by as-of. #}
counted as (

    select
        moments_of_fitting.fit_at,
        known_by_week.fit_platform,
        known_by_week.fit_era,
        known_by_week.from_hours,
        known_by_week.target_hours,
        cast(sum(known_by_week.posts) as bigint) as last_position
    from moments_of_fitting
    cross join build
    inner join known_by_week
        on moments_of_fitting.fit_at >= known_by_week.known_on_monday
        or moments_of_fitting.fit_at = build.as_of
    group by
        moments_of_fitting.fit_at,
        known_by_week.fit_platform,
        known_by_week.fit_era,
        known_by_week.from_hours,
        known_by_week.target_hours
    having sum(known_by_week.posts) >= {{ var('forecast_min_posts') }}

),

fits as (

    select
        counted.*,
        row_number() over (
            order by fit_at, fit_platform, fit_era, from_hours, target_hours
        ) as fit_id
    from counted

),

{# The newest posts lie in two blocks of positions at most: looked up, not compared. #}
blocks as (

    select
        fit_id,
        last_position,
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        {{ block_of('last_position', training_posts) }} as block
    from fits
    union
    select
        fit_id,
        last_position,
        fit_platform,
        fit_era,
        from_hours,
        target_hours,
        greatest({{ block_of('last_position', training_posts) }} - 1, 0)
    from fits

),

training as (

    select
        blocks.fit_id,
        numbered.post_id,
        numbered.log_size,
        numbered.early_slope,
        numbered.target_views,
        numbered.target_known_at,
        {{ ratio('numbered.from_views', 'numbered.target_views') }} as reached,
        {{ ratio('numbered.target_views', 'numbered.from_views') }} as growth
    from blocks
    inner join numbered
        on blocks.fit_platform = numbered.fit_platform
        and blocks.fit_era = numbered.fit_era
        and blocks.from_hours = numbered.from_hours
        and blocks.target_hours = numbered.target_hours
        and blocks.block = {{ block_of('numbered.position', training_posts) }}
    where numbered.position <= blocks.last_position
        and numbered.position > blocks.last_position - {{ training_posts }}

),

means as (

    select
        fit_id,
        count(*) as n_train,
        {{ exact_mean('log_size') }} as size_mean,
        {{ exact_mean('early_slope') }} as slope_mean,
        {{ ratio(exact_sum('reached'), exact_sum('reached * reached')) }} as alpha,
        {{ median_of('target_views') }} as median_views,
        max(target_known_at) as known_at
    from training
    group by fit_id

),

moments as (

    select
        means.fit_id,
        means.n_train,
        means.size_mean,
        means.slope_mean,
        means.alpha,
        means.median_views,
        means.known_at,
        sqrt(
            {{ exact_mean(
                '(training.log_size - means.size_mean) * (training.log_size - means.size_mean)'
            ) }}
        ) as size_deviation,
        sqrt(
            {{ exact_mean(
                '(training.early_slope - means.slope_mean) * (training.early_slope - means.slope_mean)'
            ) }}
        ) as slope_deviation
    from means
    inner join training on means.fit_id = training.fit_id
    group by
        means.fit_id, means.n_train, means.size_mean, means.slope_mean, means.alpha,
        means.median_views, means.known_at

),

weighted as (

    select
        training.fit_id,
        moments.alpha,
        {%- for feature in features %}
        {{ feature }} * training.reached as x_{{ loop.index0 }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from training
    inner join moments on training.fit_id = moments.fit_id

),

{# Least squares of predicted / actual - 1: the error that is reported is the one that is
   made small. The ridge draws the coefficients to constant scaling. #}
systems as (

    select
        fit_id,
        {%- for name in names %}
        {%- set i = loop.index0 %}
        {%- for j in range(i, names | length) %}
        {{ exact_sum('x_' ~ i ~ ' * x_' ~ j) }}{{ ' + ' ~ ridge if i == j }} as a_{{ i }}_{{ j }},
        {%- endfor %}
        {{ exact_sum('x_' ~ i) }}{{ ' + ' ~ ridge ~ ' * max(alpha)' if i == 0 }}
            as b_{{ i }}{% if not loop.last %},
        {% endif %}
        {%- endfor %}
    from weighted
    group by fit_id

),

{{ solve_symmetric('systems', 'fit_id', names) }}

grown as (

    select
        training.fit_id,
        training.post_id,
        training.growth,
        {{ fitted_growth() }} as fitted
    from training
    inner join moments on training.fit_id = moments.fit_id
    inner join solved on training.fit_id = solved.fit_id

),

rounded as (

    select
        fit_id,
        post_id,
        growth / fitted as miss,
        {{ significant('fitted') }} as fitted
    from grown

),

quantiles as (

    select
        fit_id
        {%- for bin in range(1, bins) %},
        {{ quantile_of('fitted', bin / bins) }} as edge_{{ bin }}
    {%- endfor %}
    from rounded
    group by fit_id

),

edges as (

    select
        fit_id
        {%- for bin in range(1, bins) %},
        {{ significant('edge_' ~ bin) }} as edge_{{ bin }}
    {%- endfor %}
    from quantiles

),

binned as (

    select
        rounded.fit_id,
        rounded.post_id,
        rounded.miss,
        {{ significant('rounded.miss') }} as rounded_miss,
        {%- for bin in range(1, bins) %}
        case
            when rounded.fitted > edges.edge_{{ bin }} then 1 else 0
        end{% if not loop.last %}
        +{% endif %}
        {%- endfor %} as bin
    from rounded
    inner join edges on rounded.fit_id = edges.fit_id

),

{# Bin -1 is all of them. #}
grouped as (

    select
        fit_id,
        post_id,
        miss,
        rounded_miss,
        bin
    from binned
    union all
    select
        fit_id,
        post_id,
        miss,
        rounded_miss,
        -1 as bin
    from binned

),

ranked as (

    select
        fit_id,
        bin,
        miss,
        rounded_miss,
        row_number() over by_miss as position,
        count(*) over (partition by fit_id, bin) as posts,
        greatest(
            cast(count(*) over (partition by fit_id, bin) + 1 as {{ type_double() }}) / 10, 1
        ) as lower_position,
        sum(cast(1 / miss as decimal(38, 12))) over by_miss as weight_so_far,
        sum(cast(1 / miss as decimal(38, 12))) over (partition by fit_id, bin) as weight
    from grouped
    window
        by_miss as (
            partition by fit_id, bin order by rounded_miss, post_id rows unbounded preceding
        )

),

{# The centre is the median that makes the mean of |predicted / actual - 1| smallest. The
   lower end of the interval leaves a tenth of the posts below it, as a new one would fall. #}
lower_ends as (

    select
        fit_id,
        bin,
        max(posts) as posts,
        min(miss) filter (where 2 * weight_so_far >= weight) as centre,
        {{ at_position('miss', 'position', 'lower_position') }} as lower_end
    from ranked
    group by fit_id, bin

),

{# Where many posts do not grow at all, fewer than a tenth are below: the upper end then
   leaves more above it, so that four fifths are within. #}
below as (

    select
        ranked.fit_id,
        ranked.bin,
        lower_ends.posts,
        lower_ends.centre,
        lower_ends.lower_end,
        count(*) filter (where ranked.rounded_miss < {{ significant('lower_ends.lower_end') }})
            as posts_below
    from ranked
    inner join lower_ends on ranked.fit_id = lower_ends.fit_id and ranked.bin = lower_ends.bin
    group by
        ranked.fit_id, ranked.bin, lower_ends.posts, lower_ends.centre, lower_ends.lower_end

),

upper_positions as (

    select
        below.*,
        least(
            cast((posts + 1) * (8 * posts + 10 * posts_below) as {{ type_double() }})
            / (10 * posts),
            posts
        ) as upper_position
    from below

),

intervals as (

    select
        upper_positions.fit_id,
        upper_positions.bin,
        upper_positions.posts,
        upper_positions.centre,
        upper_positions.lower_end,
        {# Between posts that are alike, rounding could put it under the lower end. #}
        greatest(
            {{ at_position('ranked.miss', 'ranked.position', 'upper_positions.upper_position') }},
            upper_positions.lower_end
        ) as upper_end
    from upper_positions
    inner join ranked
        on upper_positions.fit_id = ranked.fit_id and upper_positions.bin = ranked.bin
    group by
        upper_positions.fit_id,
        upper_positions.bin,
        upper_positions.posts,
        upper_positions.centre,
        upper_positions.lower_end

),

bin_bounds as (
    {% for bin in range(bins) %}
    select
        fit_id,
        cast({{ bin }} as bigint) as bin,
        {{ 'edge_' ~ bin if bin > 0 else 'cast(null as ' ~ type_double() ~ ')' }} as above,
        {{ 'edge_' ~ (bin + 1) if bin < last_bin else 'cast(null as ' ~ type_double() ~ ')' }}
            as up_to
    from edges
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

final as (

    select
        fits.fit_at,
        fits.fit_platform,
        fits.fit_era,
        fits.from_hours,
        fits.target_hours,
        bin_bounds.bin,
        moments.n_train,
        moments.size_mean,
        moments.size_deviation,
        moments.slope_mean,
        moments.slope_deviation,
        {%- for name in names %}
        solved.{{ name }},
        {%- endfor %}
        bin_bounds.above,
        bin_bounds.up_to,
        0.5 + 0.5 * (
            coalesce(of_bin.posts, 0) * coalesce(of_bin.centre, 0)
            + {{ bin_weight }} * of_all.centre
        ) / (coalesce(of_bin.posts, 0) + {{ bin_weight }}) as shift,
        case when of_bin.posts >= 20 then of_bin.lower_end else of_all.lower_end end as lower_end,
        case when of_bin.posts >= 20 then of_bin.upper_end else of_all.upper_end end as upper_end,
        moments.median_views,
        moments.known_at
    from fits
    inner join moments on fits.fit_id = moments.fit_id
    inner join solved on fits.fit_id = solved.fit_id
    inner join bin_bounds on fits.fit_id = bin_bounds.fit_id
    inner join intervals as of_all on fits.fit_id = of_all.fit_id and of_all.bin = -1
    left join intervals as of_bin
        on fits.fit_id = of_bin.fit_id and bin_bounds.bin = of_bin.bin

)

select * from final
