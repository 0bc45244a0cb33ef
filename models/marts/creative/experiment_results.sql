with

arms as (

    select * from {{ ref('int_experiment_arms') }}

),

compared as (

    select * from {{ ref('int_experiment_comparison') }}

),

{# How far the means lie apart, whose deviation says how sure that is, and how far experiments
   differ at all: said of views, relative to a mean of logarithms it is as much smaller. #}
lifts as {{ computed_once() }} (

    select
        *,
        {{ relative_lift('mean', 'control_mean') }} as lift,
        case
            when n = 0 or control_n = 0 then null
            when variance is not null and control_variance is not null then 'posts'
            when platform_variance is not null then 'platform'
        end as se_source,
        case metric
            when 'log_views' then {{ var('lift_prior_sd') }} / nullif(control_mean, 0)
            else cast({{ var('lift_prior_sd') }} as {{ type_double() }})
        end as prior_sd
    from compared

),

errors as {{ computed_once() }} (

    select
        *,
        case se_source
            when 'posts' then {{ relative_lift_variance(
                'mean', 'variance', 'n', 'control_mean', 'control_variance', 'control_n'
            ) }}
            when 'platform' then {{ relative_lift_variance(
                'mean', 'platform_variance', 'n', 'control_mean', 'platform_variance', 'control_n'
            ) }}
        end as lift_variance
    from lifts

),

shrunk as {{ computed_once() }} (

    select
        *,
        sqrt(lift_variance) as lift_se,
        {{ shrunk_to_zero('lift', 'lift_variance', 'prior_sd') }} as shrunk_lift,
        {{ shrunk_deviation('lift_variance', 'prior_sd') }} as deviation
    from errors

),

judged as {{ computed_once() }} (

    select
        *,
        shrunk_lift - {{ z95() }} * deviation as lift_lo,
        shrunk_lift + {{ z95() }} * deviation as lift_hi,
        {{ normal_below('(shrunk_lift / deviation)') }} as chance_to_win,
        {{ expected_loss('shrunk_lift', 'deviation') }} as expected_loss
    from shrunk

),

by_views as (

    select
        *,
        mean - control_mean as difference,
        {#- What is known of the difference, as posts of the arm beside a control without end. #}
        cast(n as {{ type_double() }}) * control_n / nullif(n + control_n, 0) as effective_posts
    from judged
    where metric = 'log_views'

),

{# The posts alone, as an interval that holds however often somebody looks: verdicts are read
   off it, since they are looked for after every build. #}
always_valid as {{ computed_once() }} (

    select
        *,
        case when effective_posts > 0 then {{ always_valid_half_width(
            'sqrt(pooled_variance / effective_posts)', 'effective_posts',
            planned=var('planned_posts'), alpha=2 * (1 - var('lead_chance')),
        ) }} end as half_width
    from by_views

),

by_rate as (

    select * from judged
    where metric = 'engagement_rate'

),

rates as (

    {{ two_level_shrinkage(
        'arms', ['experiment_id', 'platform'],
        population=['platform', 'definition_era', 'crosses_break'], group_by=['product_id'],
        successes='rated_engagements', trials='rated_views',
    ) }}

),

final as (

    select
        arms.experiment_id,
        arms.platform,
        arms.product_id,
        arms.posts,
        case
            when arms.posts = 0 then 'no_posts'
            {#- A post against all others, set up by nobody: how it did is no verdict. #}
            when arms.is_adopted then 'adopted'
            when by_views.n = 0 and arms.pending_posts > 0 then 'pending'
            when by_views.chance_to_win is null then 'too_little_data'
            when {{ more_than('by_views.difference', 'by_views.half_width') }} then 'leading'
            when {{ less_than('by_views.difference', '-by_views.half_width') }} then 'losing'
            when {{ at_least('by_views.lift_se', 'by_views.prior_sd') }} then 'too_little_data'
            else 'inconclusive'
        end as status,

        -- views at 72 hours, as ln(1 + views)
        by_views.n as log_views_n,
        by_views.mean as log_views_mean,
        by_views.total as log_views_sum,
        by_views.squares as log_views_sum_squares,
        by_views.control_scope,
        by_views.control_n,
        by_views.control_mean,
        by_views.control_total as control_sum,
        by_views.control_squares as control_sum_squares,
        by_views.lift,
        by_views.lift_se,
        by_views.se_source,
        by_views.shrunk_lift,
        by_views.lift_lo,
        by_views.lift_hi,
        by_views.chance_to_win,
        by_views.expected_loss,
        exp(by_views.mean - by_views.control_mean) - 1 as views_lift,
        exp(by_views.shrunk_lift * by_views.control_mean) - 1 as shrunk_views_lift,
        exp(by_views.lift_lo * by_views.control_mean) - 1 as views_lift_lo,
        exp(by_views.lift_hi * by_views.control_mean) - 1 as views_lift_hi,
        exp(by_views.difference - by_views.half_width) - 1 as always_valid_lo,
        exp(by_views.difference + by_views.half_width) - 1 as always_valid_hi,
        cast({{ var('planned_posts') }} as bigint) as planned_posts,

        -- engagement rate of posts at 72 hours
        by_rate.n as engagement_rate_n,
        by_rate.mean as engagement_rate_mean,
        by_rate.total as engagement_rate_sum,
        by_rate.squares as engagement_rate_sum_squares,
        by_rate.control_n as control_engagement_rate_n,
        by_rate.control_mean as control_engagement_rate_mean,
        by_rate.control_total as control_engagement_rate_sum,
        by_rate.control_squares as control_engagement_rate_sum_squares,
        by_rate.lift as engagement_rate_lift,
        by_rate.lift_se as engagement_rate_lift_se,
        by_rate.se_source as engagement_rate_se_source,
        by_rate.shrunk_lift as engagement_rate_shrunk_lift,
        by_rate.lift_lo as engagement_rate_lift_lo,
        by_rate.lift_hi as engagement_rate_lift_hi,
        by_rate.chance_to_win as engagement_rate_chance_to_win,
        by_rate.expected_loss as engagement_rate_expected_loss,

        -- latest counts
        arms.views,
        arms.engagements,
        {{ rate_per_view('arms.rated_engagements', 'arms.rated_views') }} as engagement_rate,
        rates.rate_eb as engagement_rate_eb,
        rates.rate_eb_lo as engagement_rate_eb_lo,
        rates.rate_eb_hi as engagement_rate_eb_hi,
        arms.known_at
    from arms
    inner join always_valid as by_views
        on arms.experiment_id = by_views.experiment_id
        and arms.platform = by_views.platform
    inner join by_rate
        on arms.experiment_id = by_rate.experiment_id
        and arms.platform = by_rate.platform
    inner join rates
        on arms.experiment_id = rates.experiment_id
        and arms.platform = rates.platform

)

select * from final
