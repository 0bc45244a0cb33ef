with

patterns as (

    select
        pattern_id,
        known_at
    from {{ ref('accepted_creative_patterns') }}

),

priors as (

    select * from {{ ref('int_pattern_priors') }}

),

fatigue as (

    select * from {{ ref('int_pattern_fatigue') }}

),

{# A post's views count less the more there are: they tell of that post, not of another. #}
weighed as (

    select
        posts.*,
        posts.fair_exposure
        * priors.post_weight
        / (posts.fair_exposure + priors.post_weight) as weight
    from {{ ref('int_pattern_posts') }} as posts
    inner join priors on posts.platform = priors.platform
    where posts.pattern_id is not null

),

used as (

    select
        platform,
        pattern_id,
        count(*) as posts,
        sum(views) as views,
        sum(engagements) as engagements,
        sum(exposure) as exposure,
        sum(case when exposure is not null then engagements end) as exposed_engagements,
        {{ exact_sum('weight', 9) }} as weight,
        {{ exact_sum('weight * fair_rate', 9) }} as weighted_engagements,
        {{ median_of('views_72h') }} as views_72h_median,
        count(log_lift) as lift_posts,
        {{ exact_sum('log_lift') }} as lift_total,
        sum(above_median) as above_median,
        max(published_at) as last_used_at
    from weighed
    group by platform, pattern_id

),

{# A pattern nobody used has shown nothing. #}
shown as (

    select
        patterns.pattern_id,
        priors.platform,
        coalesce(used.posts, 0) as posts,
        case when used.posts is null then 0 else used.views end as views,
        case when used.posts is null then 0 else used.engagements end as engagements,
        used.exposure,
        used.exposed_engagements,
        coalesce(used.weight, 0) as weight,
        coalesce(used.weighted_engagements, 0) as weighted_engagements,
        used.views_72h_median,
        coalesce(used.lift_posts, 0) as lift_posts,
        coalesce(used.lift_total, 0) as lift_total,
        used.above_median,
        fatigue.fatigue_z,
        used.last_used_at,
        greatest(patterns.known_at, priors.known_at) as known_at
    from patterns
    cross join priors
    left join used
        on patterns.pattern_id = used.pattern_id
        and priors.platform = used.platform
    left join fatigue
        on patterns.pattern_id = fatigue.pattern_id
        and priors.platform = fatigue.platform

),

estimated as (

    select
        shown.*,
        shown.weighted_engagements + priors.rate * priors.pattern_weight as shape,
        shown.weight + priors.pattern_weight as rate,
        {{ normal_posterior_mean(
            'shown.lift_posts',
            'shown.lift_total',
            'priors.post_variance',
            'priors.log_lift',
            'priors.pattern_variance'
        ) }} as shrunk_log,
        {{ normal_posterior_deviation(
            'shown.lift_posts', 'priors.post_variance', 'priors.pattern_variance'
        ) }} as shrunk_sd
    from shown
    inner join priors on shown.platform = priors.platform

),

final as (

    select
        pattern_id,
        platform,
        cast(posts as bigint) as posts,
        cast(views as bigint) as views,
        cast(engagements as bigint) as engagements,
        {{ rate_per_view('exposed_engagements', 'exposure') }} as engagement_rate,
        cast(shape / rate as {{ type_double() }}) as engagement_rate_eb,
        cast(
            least({{ gamma_quantile('shape', 'rate', '-' ~ z95()) }}, shape / rate)
            as {{ type_double() }}
        ) as engagement_rate_eb_lo,
        cast(
            greatest({{ gamma_quantile('shape', 'rate', z95()) }}, shape / rate)
            as {{ type_double() }}
        ) as engagement_rate_eb_hi,
        cast({{ wilson_low('exposed_engagements', 'exposure') }} as {{ type_double() }})
            as wilson_lo,
        cast(views_72h_median as {{ type_double() }}) as views_72h_median,
        cast(lift_posts as bigint) as lift_posts,
        cast(exp(lift_total / nullif(lift_posts, 0)) - 1 as {{ type_double() }}) as lift,
        cast(exp(shrunk_log) - 1 as {{ type_double() }}) as shrunk_lift,
        cast(exp(shrunk_log - {{ z95() }} * shrunk_sd) - 1 as {{ type_double() }}) as lift_lo,
        cast(exp(shrunk_log + {{ z95() }} * shrunk_sd) - 1 as {{ type_double() }}) as lift_hi,
        cast({{ ratio('above_median', 'lift_posts') }} as {{ type_double() }})
            as share_above_median,
        cast(fatigue_z as {{ type_double() }}) as fatigue_z,
        last_used_at,
        row_number() over (
            partition by platform order by {{ significant('shrunk_log') }} desc, pattern_id
        ) as rank,
        known_at,
        {{ is_total() }} as is_total
    from estimated

)

select * from final
