{#- What each metric counts. A post's views are events of one exposure, the post; what viewers did,
    of its views. -#}
{%- set events = {
    'views': 'views',
    'engagement_rate': 'engagements',
    'like_rate': 'likes',
    'comment_rate': 'comments',
    'share_rate': 'shares',
} -%}
{%- set rates = events.keys() | reject('equalto', 'views') | list -%}

with

facts as (

    select * from {{ ref('int_post_facts') }}

),

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

ages as (

    select * from {{ ref('post_age_metrics') }}

),

horizons as (

    select cast(0 as bigint) as horizon_hours
    union all
    select cast(horizon_hours as bigint) as horizon_hours from {{ ref('age_horizons') }}

),

metrics as (

    {% for metric in events -%}
    select '{{ metric }}' as metric
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

),

platforms as (

    select
        posts.platform,
        {{ definition_era('posts.platform', 'build.as_of') }} as definition_era,
        posts.known_at
    from (
        select
            platform,
            min(known_at) as known_at
        from facts
        group by platform
    ) as posts
    cross join build

),

scopes as (

    select
        platform,
        known_at
    from platforms
    union all
    select
        'all' as platform,
        min(known_at) as known_at
    from platforms

),

{# What is known of every post at every age; the latest counts are those of age 0. #}
observed as (

    select
        facts.platform,
        cast(0 as bigint) as horizon_hours,
        outcomes.published_at,
        outcomes.definition_era,
        outcomes.crosses_break,
        cast(facts.views as {{ type_double() }}) as views,
        cast(facts.engagements as {{ type_double() }}) as engagements,
        cast(facts.likes as {{ type_double() }}) as likes,
        cast(facts.comments as {{ type_double() }}) as comments,
        cast(facts.shares as {{ type_double() }}) as shares,
        facts.engagement_rate,
        facts.like_rate,
        facts.comment_rate,
        facts.share_rate,
        facts.known_at
    from facts
    inner join outcomes on facts.post_id = outcomes.post_id
    where facts.views is not null
    union all
    select
        outcomes.platform,
        ages.horizon_hours,
        outcomes.published_at,
        outcomes.definition_era,
        ages.crosses_break,
        ages.views,
        {{ sum_known(['ages.likes', 'ages.comments', 'ages.shares']) }} as engagements,
        ages.likes,
        ages.comments,
        ages.shares,
        ages.engagement_rate,
        ages.like_rate,
        ages.comment_rate,
        ages.share_rate,
        ages.known_at
    from ages
    inner join outcomes on ages.post_id = outcomes.post_id
    where ages.views is not null

),

{# The newest definition of a view that a platform has values of. #}
eras as (

    select
        platform,
        horizon_hours,
        max(definition_era) as definition_era
    from observed
    where not crosses_break
    group by platform, horizon_hours

),

{# A row for each post at an age, its metrics side by side: the value, the events (`y_`), what they
   are events of (`n_`), all unknown where either is. #}
compared as {{ computed_once() }} (

    select
        observed.platform,
        observed.horizon_hours,
        observed.views,
        observed.views as y_views,
        cast(1 as {{ type_double() }}) as n_views,
        {%- for metric in rates %}
        {%- set is_known = 'observed.views > 0 and observed.' ~ events[metric] ~ ' is not null' %}
        case when {{ is_known }} then observed.{{ metric }} end as {{ metric }},
        case when {{ is_known }} then observed.{{ events[metric] }} end as y_{{ metric }},
        case when {{ is_known }} then observed.views end as n_{{ metric }},
        {%- endfor %}
        observed.known_at,
        observed.published_at > build.as_of - interval '{{ var("percentile_days") }}' day
        and observed.published_at <= build.as_of as is_recent
    from observed
    inner join eras
        on observed.platform = eras.platform
        and observed.horizon_hours = eras.horizon_hours
        and observed.definition_era = eras.definition_era
    cross join build
    where not observed.crosses_break

),

{# Decimals, as they are added up once more. Successes are the events that can be trials: one
   for each view at most. #}
sums as (

    select
        platform,
        horizon_hours
        {%- for metric in events %},
        count(n_{{ metric }}) as posts_{{ metric }},
        {{ exact_part('y_' ~ metric) }} as events_{{ metric }},
        {{ exact_part('n_' ~ metric) }} as exposure_{{ metric }},
        {%- if metric == 'views' %}
        cast(null as decimal(38, 12)) as successes_{{ metric }},
        {%- else %}
        {{ exact_part('least(y_' ~ metric ~ ', n_' ~ metric ~ ')') }} as successes_{{ metric }},
        {%- endif %}
        max(known_at) filter (where n_{{ metric }} is not null) as known_at_{{ metric }}
        {%- endfor %}
    from compared
    group by platform, horizon_hours

),

means as {{ computed_once() }} (

    select
        sums.*
        {%- for metric in events %},
        {{ ratio('events_' ~ metric, 'exposure_' ~ metric) }} as rate_{{ metric }},
        {{ ratio('successes_' ~ metric, 'exposure_' ~ metric) }} as share_{{ metric }},
        {{ ratio('exposure_' ~ metric, 'posts_' ~ metric) }} as mean_exposure_{{ metric }}
        {%- endfor %}
    from sums

),

{# How far the posts are from what is usual on their platform, with weights of their exposure. #}
spreads as {{ computed_once() }} (

    select
        compared.platform,
        compared.horizon_hours
        {%- for metric in events %}
        {%- set y, n = 'compared.y_' ~ metric, 'compared.n_' ~ metric %}
        {%- set apart = '(least(' ~ y ~ ', ' ~ n ~ ') / ' ~ n ~ ' - means.share_' ~ metric ~ ')' %},
        {{ exact_sum(gamma_spread(
            y, n, 'means.rate_' ~ metric, 'means.mean_exposure_' ~ metric
        )) }} as spread_{{ metric }},
        {%- if metric == 'views' %}
        cast(null as {{ type_double() }}) as trial_spread_{{ metric }},
        cast(null as {{ type_double() }}) as squared_trials_{{ metric }}
        {%- else %}
        {{ exact_sum(n ~ ' * ' ~ apart ~ ' * ' ~ apart) }} as trial_spread_{{ metric }},
        {{ exact_sum(
            n ~ ' * ' ~ ratio(n, 'means.exposure_' ~ metric)
        ) }} as squared_trials_{{ metric }}
        {%- endif %}
        {%- endfor %}
    from compared
    inner join means
        on compared.platform = means.platform
        and compared.horizon_hours = means.horizon_hours
    group by compared.platform, compared.horizon_hours

),

{# From here on a metric is a row. #}
of_platforms as {{ computed_once() }} (
    {% for metric in events %}
    select
        means.platform,
        means.horizon_hours,
        '{{ metric }}' as metric,
        means.posts_{{ metric }} as posts,
        means.events_{{ metric }} as events,
        means.exposure_{{ metric }} as exposure,
        means.successes_{{ metric }} as successes,
        means.rate_{{ metric }} as mean_rate,
        means.share_{{ metric }} as mean_share,
        spreads.spread_{{ metric }} as spread,
        spreads.trial_spread_{{ metric }} as trial_spread,
        spreads.squared_trials_{{ metric }} as squared_trials,
        means.known_at_{{ metric }} as known_at
    from means
    inner join spreads
        on means.platform = spreads.platform
        and means.horizon_hours = spreads.horizon_hours
    where means.posts_{{ metric }} > 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

sums_of_all as (

    select
        horizon_hours,
        metric,
        cast(sum(posts) as bigint) as posts,
        cast(sum(events) as {{ type_double() }}) as events,
        cast(sum(exposure) as {{ type_double() }}) as exposure,
        cast(sum(successes) as {{ type_double() }}) as successes,
        max(known_at) as known_at
    from of_platforms
    group by horizon_hours, metric

),

means_of_all as (

    select
        sums_of_all.*,
        {{ ratio('events', 'exposure') }} as mean_rate,
        {{ ratio('successes', 'exposure') }} as mean_share
    from sums_of_all

),

{# Posts are as far from the mean of all as from that of their platform, and that from the
   mean of all: the squares add up. #}
spreads_of_all as (

    select
        means_of_all.horizon_hours,
        means_of_all.metric,
        {%- set mean_exposure = 'means_of_all.exposure / means_of_all.posts' %}
        {{ exact_sum(
            'coalesce(own.spread, 0) * ('
            ~ ratio('own.exposure', 'own.posts') ~ ' / (' ~ mean_exposure ~ ')) * '
            ~ ratio('own.mean_rate', 'means_of_all.mean_rate') ~ ' * '
            ~ ratio('own.mean_rate', 'means_of_all.mean_rate') ~ ' + '
            ~ gamma_spread('own.events', 'own.exposure', 'means_of_all.mean_rate', mean_exposure)
        ) }} as spread,
        {%- set apart = '(own.mean_share - means_of_all.mean_share)' %}
        {{ exact_sum('own.trial_spread + own.exposure * ' ~ apart ~ ' * ' ~ apart) }}
            as trial_spread,
        {{ exact_sum('own.squared_trials * ' ~ ratio('own.exposure', 'means_of_all.exposure')) }}
            as squared_trials
    from means_of_all
    inner join of_platforms as own
        on means_of_all.horizon_hours = own.horizon_hours
        and means_of_all.metric = own.metric
    group by means_of_all.horizon_hours, means_of_all.metric

),

totals as (

    select
        platform,
        horizon_hours,
        metric,
        posts,
        cast(events as {{ type_double() }}) as events,
        cast(exposure as {{ type_double() }}) as exposure,
        cast(successes as {{ type_double() }}) as successes,
        mean_rate,
        mean_share,
        spread,
        trial_spread,
        squared_trials,
        known_at
    from of_platforms
    union all
    select
        'all' as platform,
        means_of_all.horizon_hours,
        means_of_all.metric,
        means_of_all.posts,
        means_of_all.events,
        means_of_all.exposure,
        means_of_all.successes,
        means_of_all.mean_rate,
        means_of_all.mean_share,
        spreads_of_all.spread,
        spreads_of_all.trial_spread,
        spreads_of_all.squared_trials,
        means_of_all.known_at
    from means_of_all
    inner join spreads_of_all
        on means_of_all.horizon_hours = spreads_of_all.horizon_hours
        and means_of_all.metric = spreads_of_all.metric

),

recent as {{ computed_once() }} (
    {% for scope in ['platform', "'all'"] %}
    select
        {{ scope }} as platform,
        horizon_hours
        {%- for metric in events %},
        count({{ metric }}) as posts_{{ metric }},
        {{ quantiles_of(metric, [0.1, 0.25, 0.5, 0.75, 0.9]) }}
            as percentiles_{{ metric }}
        {%- endfor %}
    from compared
    where is_recent
    group by {{ 'platform, ' if loop.first }}horizon_hours
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

percentiles as (
    {% for metric in events %}
    select
        platform,
        horizon_hours,
        '{{ metric }}' as metric,
        posts_{{ metric }} as n_posts,
        percentiles_{{ metric }} as percentiles
    from recent
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

cells as (

    select
        scopes.platform,
        horizons.horizon_hours,
        metrics.metric,
        scopes.known_at as exists_from,
        coalesce(percentiles.n_posts, 0) as n_posts,
        percentiles.percentiles,
        coalesce(totals.posts, 0) as posts,
        coalesce(totals.posts, 0) >= {{ var('min_prior_posts') }} as has_enough,
        coalesce(totals.events, 0) as events,
        coalesce(totals.exposure, 0) as exposure,
        coalesce(totals.successes, 0) as successes,
        totals.mean_rate,
        totals.mean_share,
        totals.spread,
        totals.trial_spread,
        totals.squared_trials,
        totals.known_at
    from scopes
    cross join horizons
    cross join metrics
    left join totals
        on scopes.platform = totals.platform
        and horizons.horizon_hours = totals.horizon_hours
        and metrics.metric = totals.metric
    left join percentiles
        on scopes.platform = percentiles.platform
        and horizons.horizon_hours = percentiles.horizon_hours
        and metrics.metric = percentiles.metric

),

{# Prior of the cell's own posts: by moments when they have at least one event, else next
   to nothing, which the posts' number bounds. #}
own_priors as (

    select
        cells.*,
        case
            when has_enough and events > 0
            then {{ gamma_prior_rate(
                gamma_excess('spread', 'posts', 'mean_rate', 'exposure / posts'), 'mean_rate'
            ) }}
        end as moment_rate,
        case
            when has_enough and successes > 0 and successes < exposure
            then {{ beta_prior_weight(
                'trial_spread', 'posts', 'exposure', 'squared_trials', 'mean_share'
            ) }}
        end as moment_weight,
        (events + {{ var('fallback_shape') }})
        / (exposure + {{ var('fallback_rate') }}) as weak_rate,
        (successes + {{ var('fallback_shape') }})
        / (exposure + {{ var('fallback_rate') }}) as weak_share
    from cells

),

breaks as (

    select
        scopes.platform,
        eras.horizon_hours,
        bool_or(eras.definition_era < platforms.definition_era) as crosses_break
    from platforms
    inner join eras on platforms.platform = eras.platform
    inner join scopes on scopes.platform in (platforms.platform, 'all')
    group by scopes.platform, eras.horizon_hours

),

{# A platform with too few posts has the prior of all of them. #}
final as (

    select
        own.platform,
        own.horizon_hours,
        own.metric,
        own.n_posts,
        {{ array_item('own.percentiles', 1) }} as p10,
        {{ array_item('own.percentiles', 2) }} as p25,
        {{ array_item('own.percentiles', 3) }} as p50,
        {{ array_item('own.percentiles', 4) }} as p75,
        {{ array_item('own.percentiles', 5) }} as p90,
        case
            when source.moment_rate is not null then source.mean_rate * source.moment_rate
            when own.metric <> 'views' then cast({{ var('fallback_shape') }} as {{ type_double() }})
        end as prior_shape,
        case
            when source.moment_rate is not null then source.moment_rate
            when own.metric <> 'views' then {{ var('fallback_shape') }} / source.weak_rate
        end as prior_rate,
        case
            when own.metric = 'views' then null
            when source.moment_weight is not null then source.mean_share * source.moment_weight
            else cast({{ var('fallback_shape') }} as {{ type_double() }})
        end as prior_alpha,
        case
            when own.metric = 'views' then null
            when source.moment_weight is not null
            then (1 - source.mean_share) * source.moment_weight
            else {{ var('fallback_shape') }} / source.weak_share - {{ var('fallback_shape') }}
        end as prior_beta,
        own.posts as prior_posts,
        case
            when source.moment_rate is not null then source.platform
            when own.metric <> 'views' then 'fallback'
        end as prior_from,
        coalesce(breaks.crosses_break, false) as crosses_break,
        greatest(own.exists_from, own.known_at, source.known_at) as known_at,
        {{ is_total('own.platform') }} as is_total
    from own_priors as own
    inner join own_priors as source
        on own.horizon_hours = source.horizon_hours
        and own.metric = source.metric
        and source.platform = case when own.has_enough then own.platform else 'all' end
    left join breaks
        on own.platform = breaks.platform
        and own.horizon_hours = breaks.horizon_hours

)

select * from final
