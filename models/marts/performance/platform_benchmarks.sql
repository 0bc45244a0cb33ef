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

    select names.metric
    from (
        values ('views'), ('engagement_rate'), ('like_rate'), ('comment_rate'), ('share_rate')
    ) as names (metric)

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

{# A post's views are events of one exposure, the post; what viewers did, of its views. #}
measured as (

    select
        observed.platform,
        observed.horizon_hours,
        metrics.metric,
        case metrics.metric
            when 'views' then observed.views
            when 'engagement_rate' then observed.engagement_rate
            when 'like_rate' then observed.like_rate
            when 'comment_rate' then observed.comment_rate
            when 'share_rate' then observed.share_rate
        end as value,
        case metrics.metric
            when 'views' then observed.views
            when 'engagement_rate' then observed.engagements
            when 'like_rate' then observed.likes
            when 'comment_rate' then observed.comments
            when 'share_rate' then observed.shares
        end as events,
        case when metrics.metric = 'views' then 1 else observed.views end as exposure,
        observed.known_at,
        observed.published_at > build.as_of - interval '{{ var("percentile_days") }}' day
        and observed.published_at <= build.as_of as is_recent
    from observed
    inner join eras
        on observed.platform = eras.platform
        and observed.horizon_hours = eras.horizon_hours
        and observed.definition_era = eras.definition_era
    cross join build
    cross join metrics
    where not observed.crosses_break

),

{# Successes are the events that can be trials: one for each view at most. #}
compared as {{ computed_once() }} (

    select
        measured.*,
        case when metric <> 'views' then least(events, exposure) end as successes
    from measured
    where events is not null
        and exposure > 0

),

totals as (

    select
        scopes.platform,
        compared.horizon_hours,
        compared.metric,
        count(compared.value) filter (where compared.is_recent) as n_posts,
        percentile_cont(array[0.1, 0.25, 0.5, 0.75, 0.9]) within group (order by compared.value)
        filter (where compared.is_recent) as percentiles,
        count(*) as posts,
        {{ exact_sum('compared.events') }} as events,
        {{ exact_sum('compared.exposure') }} as exposure,
        {{ exact_sum('compared.successes') }} as successes,
        max(compared.known_at) as known_at
    from compared
    inner join scopes on scopes.platform in (compared.platform, 'all')
    group by scopes.platform, compared.horizon_hours, compared.metric

),

means as (

    select
        totals.*,
        {{ ratio('events', 'exposure') }} as mean_rate,
        {{ ratio('successes', 'exposure') }} as mean_share
    from totals

),

{# How far the posts are from what is usual, with weights of their exposure. #}
spreads as (

    select
        means.platform,
        means.horizon_hours,
        means.metric,
        {{ exact_sum(gamma_spread(
            'compared.events',
            'compared.exposure',
            'means.mean_rate',
            'means.exposure / means.posts',
        )) }} as spread,
        {{ exact_sum(
            'compared.exposure'
            ~ ' * (compared.successes / compared.exposure - means.mean_share)'
            ~ ' * (compared.successes / compared.exposure - means.mean_share)'
        ) }} as trial_spread,
        {{ exact_sum('compared.exposure * (compared.exposure / means.exposure)') }}
            as squared_trials
    from compared
    inner join means
        on compared.horizon_hours = means.horizon_hours
        and compared.metric = means.metric
        and means.platform in (compared.platform, 'all')
    group by means.platform, means.horizon_hours, means.metric

),

cells as (

    select
        scopes.platform,
        horizons.horizon_hours,
        metrics.metric,
        scopes.known_at as exists_from,
        coalesce(means.n_posts, 0) as n_posts,
        means.percentiles,
        coalesce(means.posts, 0) as posts,
        coalesce(means.posts, 0) >= {{ var('min_prior_posts') }} as has_enough,
        coalesce(means.events, 0) as events,
        coalesce(means.exposure, 0) as exposure,
        coalesce(means.successes, 0) as successes,
        means.mean_rate,
        means.mean_share,
        spreads.spread,
        spreads.trial_spread,
        spreads.squared_trials,
        means.known_at
    from scopes
    cross join horizons
    cross join metrics
    left join means
        on scopes.platform = means.platform
        and horizons.horizon_hours = means.horizon_hours
        and metrics.metric = means.metric
    left join spreads
        on means.platform = spreads.platform
        and means.horizon_hours = spreads.horizon_hours
        and means.metric = spreads.metric

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
        (own.percentiles)[1] as p10,
        (own.percentiles)[2] as p25,
        (own.percentiles)[3] as p50,
        (own.percentiles)[4] as p75,
        (own.percentiles)[5] as p90,
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
        greatest(own.exists_from, own.known_at, source.known_at) as known_at
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
