{#- Rate and the count it is made of. -#}
{%- set rates = {
    'engagement_rate': 'engagements',
    'like_rate': 'likes',
    'comment_rate': 'comments',
    'share_rate': 'shares',
} -%}
{%- set shares = [0.1, 0.25, 0.5, 0.75, 0.9] -%}

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

build as (

    select as_of
    from (select {{ as_of() }} as as_of) as this_build

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
        {%- for rate in rates %}
        facts.{{ rate }},
        {%- endfor %}
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
        {%- for rate in rates %}
        ages.{{ rate }},
        {%- endfor %}
        ages.known_at
    from ages
    inner join outcomes on ages.post_id = outcomes.post_id
    where ages.views is not null

),

eras as (

    select
        platform,
        horizon_hours,
        max(definition_era) as definition_era
    from observed
    where not crosses_break
    group by platform, horizon_hours

),

{# The posts that are compared: of the newest era the platform has values of. #}
compared as {{ computed_once() }} (

    select
        observed.*,
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

totals as (

    select
        scopes.platform,
        compared.horizon_hours,

        -- views: one exposure for each post
        count(*) as views_posts,
        {{ exact_sum('compared.views') }} as views_events,
        cast(count(*) as {{ type_double() }}) as views_exposure,
        count(*) filter (where compared.is_recent) as views_n,
        percentile_cont(array[{{ shares | join(', ') }}]) within group (order by compared.views)
        filter (where compared.is_recent) as views_quantiles,
        max(compared.known_at) as views_known_at
        {%- for rate, events in rates.items() %}
        {%- set known = 'compared.views > 0 and compared.' ~ events ~ ' is not null' %},

        -- {{ rate }}
        count(*) filter (where {{ known }}) as {{ rate }}_posts,
        {{ exact_sum('case when ' ~ known ~ ' then compared.' ~ events ~ ' end') }}
            as {{ rate }}_events,
        {{ exact_sum(
            'case when ' ~ known ~ ' then least(compared.' ~ events ~ ', compared.views) end'
        ) }} as {{ rate }}_successes,
        {{ exact_sum('case when ' ~ known ~ ' then compared.views end') }} as {{ rate }}_exposure,
        count(compared.{{ rate }}) filter (where compared.is_recent) as {{ rate }}_n,
        percentile_cont(array[{{ shares | join(', ') }}]) within group (
            order by compared.{{ rate }}
        )
        filter (where compared.is_recent) as {{ rate }}_quantiles,
        max(compared.known_at) filter (where {{ known }}) as {{ rate }}_known_at
        {%- endfor %}
    from compared
    inner join scopes on scopes.platform in (compared.platform, 'all')
    group by scopes.platform, compared.horizon_hours

),

spreads as (

    select
        totals.platform,
        totals.horizon_hours,
        {{ exact_sum(gamma_spread(
            'compared.views', '1', 'totals.views_events / totals.views_posts', '1'
        )) }} as views_spread
        {%- for rate, events in rates.items() %}
        {%- set known = 'compared.views > 0 and compared.' ~ events ~ ' is not null' %}
        {%- set usual = 'totals.' ~ rate ~ '_successes / totals.' ~ rate ~ '_exposure' %}
        {%- set apart = '(least(compared.' ~ events ~ ' / compared.views, 1) - ' ~ usual ~ ')' %},
        {{ exact_sum('case when ' ~ known ~ ' then ' ~ gamma_spread(
            'compared.' ~ events,
            'compared.views',
            'totals.' ~ rate ~ '_events / totals.' ~ rate ~ '_exposure',
            'totals.' ~ rate ~ '_exposure / totals.' ~ rate ~ '_posts',
        ) ~ ' end') }} as {{ rate }}_spread,
        {{ exact_sum(
            'case when ' ~ known ~ ' then compared.views * ' ~ apart ~ ' * ' ~ apart ~ ' end'
        ) }} as {{ rate }}_trial_spread,
        {{ exact_sum(
            'case when ' ~ known ~ ' then '
            ~ 'compared.views * (compared.views / totals.' ~ rate ~ '_exposure) end'
        ) }} as {{ rate }}_squared_trials
        {%- endfor %}
    from compared
    inner join totals
        on compared.horizon_hours = totals.horizon_hours
        and totals.platform in (compared.platform, 'all')
    group by totals.platform, totals.horizon_hours

),

moments as (

    select
        totals.platform,
        totals.horizon_hours,
        'views' as metric,
        totals.views_n as n_posts,
        totals.views_quantiles as quantiles,
        totals.views_posts as posts,
        totals.views_events as events,
        totals.views_exposure as exposure,
        spreads.views_spread as spread,
        cast(null as {{ type_double() }}) as successes,
        cast(null as {{ type_double() }}) as trial_spread,
        cast(null as {{ type_double() }}) as squared_trials,
        totals.views_known_at as known_at
    from totals
    inner join spreads
        on totals.platform = spreads.platform
        and totals.horizon_hours = spreads.horizon_hours
    {%- for rate in rates %}
    union all
    select
        totals.platform,
        totals.horizon_hours,
        '{{ rate }}' as metric,
        {{ rate }}_n,
        {{ rate }}_quantiles,
        {{ rate }}_posts,
        {{ rate }}_events,
        {{ rate }}_exposure,
        {{ rate }}_spread,
        {{ rate }}_successes,
        {{ rate }}_trial_spread,
        {{ rate }}_squared_trials,
        {{ rate }}_known_at
    from totals
    inner join spreads
        on totals.platform = spreads.platform
        and totals.horizon_hours = spreads.horizon_hours
    {%- endfor %}

),

metrics as (

    select 'views' as metric
    {%- for rate in rates %}
    union all
    select '{{ rate }}' as metric
    {%- endfor %}

),

cells as (

    select
        scopes.platform,
        horizons.horizon_hours,
        metrics.metric,
        scopes.known_at as exists_from,
        coalesce(moments.n_posts, 0) as n_posts,
        moments.quantiles,
        coalesce(moments.posts, 0) as posts,
        coalesce(moments.events, 0) as events,
        coalesce(moments.exposure, 0) as exposure,
        moments.spread,
        coalesce(moments.successes, 0) as successes,
        moments.trial_spread,
        moments.squared_trials,
        moments.known_at,
        {{ ratio('moments.events', 'moments.exposure') }} as mean_rate,
        {{ ratio('moments.successes', 'moments.exposure') }} as mean_share,
        coalesce(moments.posts, 0) >= {{ var('min_prior_posts') }} as has_enough
    from scopes
    cross join horizons
    cross join metrics
    left join moments
        on scopes.platform = moments.platform
        and horizons.horizon_hours = moments.horizon_hours
        and metrics.metric = moments.metric

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

priors as (

    select
        own.platform,
        own.horizon_hours,
        own.metric,
        own.n_posts,
        own.quantiles,
        own.posts as prior_posts,
        own.exists_from,
        own.known_at as own_known_at,
        case when not own.has_enough then everyone.known_at end as all_known_at,
        case
            when
                own.metric = 'views' and coalesce(own.moment_rate, everyone.moment_rate) is null
            then null
            when own.has_enough and own.events > 0 then own.platform
            when own.has_enough then 'fallback'
            when everyone.has_enough and everyone.events > 0 then 'all'
            else 'fallback'
        end as prior_from,
        case when own.has_enough then own.moment_rate else everyone.moment_rate end as moment_rate,
        case when own.has_enough then own.mean_rate else everyone.mean_rate end as mean_rate,
        case when own.has_enough then own.weak_rate else everyone.weak_rate end as weak_rate,
        case when own.has_enough then own.moment_weight else everyone.moment_weight end
            as moment_weight,
        case when own.has_enough then own.mean_share else everyone.mean_share end as mean_share,
        case when own.has_enough then own.weak_share else everyone.weak_share end as weak_share
    from own_priors as own
    inner join own_priors as everyone
        on own.horizon_hours = everyone.horizon_hours
        and own.metric = everyone.metric
    where everyone.platform = 'all'

),

breaks as (

    select
        platforms.platform,
        eras.horizon_hours,
        eras.definition_era < platforms.definition_era as crosses_break
    from platforms
    inner join eras on platforms.platform = eras.platform

),

scoped_breaks as (

    select
        scopes.platform,
        breaks.horizon_hours,
        bool_or(breaks.crosses_break) as crosses_break
    from breaks
    inner join scopes on scopes.platform in (breaks.platform, 'all')
    group by scopes.platform, breaks.horizon_hours

),

final as (

    select
        priors.platform,
        priors.horizon_hours,
        priors.metric,
        priors.n_posts,
        {%- for share in shares %}
        (priors.quantiles)[{{ loop.index }}] as p{{ (share * 100) | int }},
        {%- endfor %}
        case
            when priors.moment_rate is not null then priors.mean_rate * priors.moment_rate
            when priors.metric <> 'views' then
                cast({{ var('fallback_shape') }} as {{ type_double() }})
        end as prior_shape,
        case
            when priors.moment_rate is not null then priors.moment_rate
            when priors.metric <> 'views' then {{ var('fallback_shape') }} / priors.weak_rate
        end as prior_rate,
        case
            when priors.metric = 'views' then null
            when priors.moment_weight is not null then priors.mean_share * priors.moment_weight
            else cast({{ var('fallback_shape') }} as {{ type_double() }})
        end as prior_alpha,
        case
            when priors.metric = 'views' then null
            when priors.moment_weight is not null then
                (1 - priors.mean_share) * priors.moment_weight
            else {{ var('fallback_shape') }} / priors.weak_share - {{ var('fallback_shape') }}
        end as prior_beta,
        priors.prior_posts,
        priors.prior_from,
        coalesce(scoped_breaks.crosses_break, false) as crosses_break,
        greatest(priors.exists_from, priors.own_known_at, priors.all_known_at) as known_at
    from priors
    left join scoped_breaks
        on priors.platform = scoped_breaks.platform
        and priors.horizon_hours = scoped_breaks.horizon_hours

)

select * from final
