{%- set double = type_double() -%}
{#- Metric: the column with a post's value, and the prefix of what is said of its lift. -#}
{%- set metrics = {'log_views': '', 'engagement_rate': 'engagement_rate_'} -%}
{%- set z95 = 1.959963984540054 -%}

with

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

facts as (

    select
        post_id,
        status_72h
    from {{ ref('int_post_facts') }}

),

experiments as (

    select
        experiment_id,
        product_id,
        {{ is_adopted('variation_label') }} as is_adopted,
        known_at
    from {{ ref('accepted_experiments') }}

),

posts as (

    select
        outcomes.post_id,
        outcomes.experiment_id,
        outcomes.product_id,
        outcomes.platform,
        outcomes.published_at,
        outcomes.definition_era,
        outcomes.crosses_break,
        outcomes.views,
        outcomes.engagements,
        ln(1 + outcomes.views_72h) as log_views,
        outcomes.engagement_rate_72h as engagement_rate,
        facts.status_72h,
        outcomes.known_at
    from outcomes
    inner join facts on outcomes.post_id = facts.post_id

),

{# What a platform counts as a view changes. An experiment is judged by its posts of the
   newest definition it has posts of. #}
newest as (

    select
        experiment_id,
        platform,
        definition_era,
        crosses_break
    from (
        select
            *,
            row_number() over (
                partition by experiment_id, platform order by published_at desc, post_id asc
            ) as posts_ago
        from posts
        where experiment_id is not null
    ) as ranked
    where posts_ago = 1

),

arms as (

    select
        newest.experiment_id,
        newest.platform,
        newest.definition_era,
        newest.crosses_break,
        count(*) as posts,
        sum(case when posts.status_72h = 'pending' then 1 else 0 end) as pending_posts,
        {%- for metric in metrics %}
        count(posts.{{ metric }}) as {{ metric }}_n,
        coalesce({{ exact_sum('posts.' ~ metric) }}, 0) as {{ metric }}_sum,
        coalesce({{ exact_sum('posts.' ~ metric ~ ' * posts.' ~ metric) }}, 0)
            as {{ metric }}_sum_squares,
        {%- endfor %}
        cast(
            sum(case when posts.crosses_break = newest.crosses_break then posts.views end) as bigint
        ) as views,
        cast(
            sum(case when posts.crosses_break = newest.crosses_break then posts.engagements end)
            as bigint
        ) as engagements,
        sum(
            case
                when posts.crosses_break = newest.crosses_break
                    and posts.engagements is not null
                then posts.views
            end
        ) as rated_views,
        sum(
            case
                when posts.crosses_break = newest.crosses_break
                    and posts.views > 0
                then posts.engagements
            end
        ) as rated_engagements
    from newest
    inner join posts
        on newest.experiment_id = posts.experiment_id
        and newest.platform = posts.platform
        and newest.definition_era = posts.definition_era
    group by newest.experiment_id, newest.platform, newest.definition_era, newest.crosses_break

),

results as (

    select
        experiments.experiment_id,
        experiments.product_id,
        experiments.is_adopted,
        experiments.known_at,
        coalesce(arms.platform, 'none') as platform,
        arms.definition_era,
        arms.crosses_break,
        coalesce(arms.posts, 0) as posts,
        coalesce(arms.pending_posts, 0) as pending_posts,
        {%- for metric in metrics %}
        coalesce(arms.{{ metric }}_n, 0) as {{ metric }}_n,
        coalesce(arms.{{ metric }}_sum, 0) as {{ metric }}_sum,
        coalesce(arms.{{ metric }}_sum_squares, 0) as {{ metric }}_sum_squares,
        {%- endfor %}
        arms.views,
        arms.engagements,
        arms.rated_views,
        arms.rated_engagements
    from experiments
    left join arms on experiments.experiment_id = arms.experiment_id

),

rates as (

    {{ two_level_shrinkage(
        'results', ['experiment_id', 'platform'],
        population=['platform', 'definition_era', 'crosses_break'], group_by=['product_id'],
        successes='rated_engagements', trials='rated_views',
    ) }}

),

{% for scope, keys in {
    'product': ['product_id', 'platform', 'definition_era'],
    'platform': ['platform', 'definition_era'],
}.items() -%}
{{ scope }}_totals as (

    select
        {{ keys | join(', ') }},
        {%- for metric in metrics %}
        count({{ metric }}) as {{ metric }}_n,
        coalesce({{ exact_sum(metric) }}, 0) as {{ metric }}_sum,
        coalesce({{ exact_sum(metric ~ ' * ' ~ metric) }}, 0) as {{ metric }}_sum_squares,
        {%- endfor %}
        max(known_at) as known_at
    from posts
    group by {{ keys | join(', ') }}

),

{% endfor -%}
known as (

    select
        platform,
        max(known_at) as known_at
    from posts
    group by platform

),

{# The control is everything else the product, or else the platform, has shown. #}
controls as (

    select
        results.experiment_id,
        results.platform,
        case
            when product_totals.log_views_n - results.log_views_n >= {{ var('min_product_posts') }}
            then 'product'
            when platform_totals.log_views_n > results.log_views_n then 'platform'
        end as control_scope,
        {%- for metric in metrics %}
        {%- for part in ['n', 'sum', 'sum_squares'] %}
        product_totals.{{ metric }}_{{ part }} - results.{{ metric }}_{{ part }}
            as product_{{ metric }}_{{ part }},
        platform_totals.{{ metric }}_{{ part }} - results.{{ metric }}_{{ part }}
            as platform_{{ metric }}_{{ part }},
        {%- endfor %}
        case
            when platform_totals.{{ metric }}_n >= {{ var('min_deviation_posts') }}
            then {{ sample_variance(
                'platform_totals.' ~ metric ~ '_n',
                'platform_totals.' ~ metric ~ '_sum',
                'platform_totals.' ~ metric ~ '_sum_squares',
            ) }}
        end as platform_{{ metric }}_variance{% if not loop.last %},{% endif %}
        {%- endfor %}
    from results
    left join product_totals
        on results.product_id = product_totals.product_id
        and results.platform = product_totals.platform
        and results.definition_era = product_totals.definition_era
    left join platform_totals
        on results.platform = platform_totals.platform
        and results.definition_era = platform_totals.definition_era

),

compared as (

    select
        results.*,
        controls.control_scope,
        {%- for metric in metrics %}
        {{ ratio('results.' ~ metric ~ '_sum', 'results.' ~ metric ~ '_n') }} as {{ metric }}_mean,
        {%- for part in ['n', 'sum', 'sum_squares'] %}
        case controls.control_scope
            when 'product' then controls.product_{{ metric }}_{{ part }}
            when 'platform' then controls.platform_{{ metric }}_{{ part }}
            else 0
        end as control_{{ metric }}_{{ part }},
        {%- endfor %}
        controls.platform_{{ metric }}_variance,
        {%- endfor %}
        known.known_at as platform_known_at
    from results
    inner join controls
        on results.experiment_id = controls.experiment_id
        and results.platform = controls.platform
    left join known on results.platform = known.platform

),

deviations as {{ computed_once() }} (

    select
        *,
        {%- for metric in metrics %}
        {{ ratio('control_' ~ metric ~ '_sum', 'control_' ~ metric ~ '_n') }}
            as control_{{ metric }}_mean,
        case
            when {{ metric }}_n >= {{ var('min_deviation_posts') }}
                and control_{{ metric }}_n >= {{ var('min_deviation_posts') }}
            then {{ sample_variance(metric ~ '_n', metric ~ '_sum', metric ~ '_sum_squares') }}
        end as {{ metric }}_variance,
        case
            when {{ metric }}_n >= {{ var('min_deviation_posts') }}
                and control_{{ metric }}_n >= {{ var('min_deviation_posts') }}
            then {{ sample_variance(
                'control_' ~ metric ~ '_n',
                'control_' ~ metric ~ '_sum',
                'control_' ~ metric ~ '_sum_squares',
            ) }}
        end as control_{{ metric }}_variance{% if not loop.last %},{% endif %}
        {%- endfor %}
    from compared

),

lifts as {{ computed_once() }} (

    select
        *,
        {%- for metric, prefix in metrics.items() %}
        case
            when {{ metric }}_n = 0 or control_{{ metric }}_n = 0 then null
            when {{ metric }}_variance is not null
                and control_{{ metric }}_variance is not null
            then 'posts'
            when platform_{{ metric }}_variance is not null then 'platform'
        end as {{ prefix }}se_source,
        {{ relative_lift(metric ~ '_mean', 'control_' ~ metric ~ '_mean') }} as {{ prefix }}lift,
        {%- for source in ['posts', 'platform'] %}
        {{ relative_lift_variance(
            metric ~ '_mean', (metric if source == 'posts' else 'platform_' ~ metric) ~ '_variance', metric ~ '_n',
            'control_' ~ metric ~ '_mean',
            ('control_' if source == 'posts' else 'platform_') ~ metric ~ '_variance', 'control_' ~ metric ~ '_n',
        ) }} as {{ prefix }}variance_by_{{ source }},
        {%- endfor %}
        {%- endfor %}
        {#- The prior is about views; relative to a mean of logarithms it is as much smaller. #}
        {{ var('lift_prior_sd') }} / nullif(control_log_views_mean, 0) as prior_sd,
        cast({{ var('lift_prior_sd') }} as {{ double }}) as engagement_rate_prior_sd
    from deviations

),

variances as {{ computed_once() }} (

    select
        *,
        {%- for prefix in metrics.values() %}
        case {{ prefix }}se_source
            when 'posts' then {{ prefix }}variance_by_posts
            when 'platform' then {{ prefix }}variance_by_platform
        end as {{ prefix }}lift_variance{% if not loop.last %},{% endif %}
        {%- endfor %}
    from lifts

),

shrunk as {{ computed_once() }} (

    select
        *,
        {%- for prefix in metrics.values() %}
        sqrt({{ prefix }}lift_variance) as {{ prefix }}lift_se,
        {{ shrunk_to_zero(prefix ~ 'lift', prefix ~ 'lift_variance', prefix ~ 'prior_sd') }}
            as {{ prefix }}shrunk_lift,
        {{ shrunk_deviation(prefix ~ 'lift_variance', prefix ~ 'prior_sd') }}
            as {{ prefix }}deviation{% if not loop.last %},{% endif %}
        {%- endfor %}
    from variances

),

judged as {{ computed_once() }} (

    select
        *,
        {%- for prefix in metrics.values() %}
        {{ prefix }}shrunk_lift - {{ z95 }} * {{ prefix }}deviation as {{ prefix }}lift_lo,
        {{ prefix }}shrunk_lift + {{ z95 }} * {{ prefix }}deviation as {{ prefix }}lift_hi,
        {{ normal_below('(' ~ prefix ~ 'shrunk_lift / ' ~ prefix ~ 'deviation)') }}
            as {{ prefix }}chance_to_win,
        {{ expected_loss(prefix ~ 'shrunk_lift', prefix ~ 'deviation') }}
            as {{ prefix }}expected_loss{% if not loop.last %},{% endif %}
        {%- endfor %}
    from shrunk

),

final as (

    select
        judged.experiment_id,
        judged.platform,
        judged.product_id,
        judged.posts,
        case
            when judged.posts = 0 then 'no_posts'
            {#- A post against all others, set up by nobody: how it did is no verdict. #}
            when judged.is_adopted then 'adopted'
            when judged.log_views_n = 0 and judged.pending_posts > 0 then 'pending'
            when judged.chance_to_win is null then 'too_little_data'
            when {{ at_least('judged.chance_to_win', var('lead_chance')) }} then 'leading'
            when {{ at_least('1 - judged.chance_to_win', var('lead_chance')) }} then 'losing'
            when {{ at_least('judged.lift_se', 'judged.prior_sd') }} then 'too_little_data'
            else 'inconclusive'
        end as status,

        -- views at 72 hours, as ln(1 + views)
        judged.log_views_n,
        judged.log_views_mean,
        judged.log_views_sum,
        judged.log_views_sum_squares,
        judged.control_scope,
        judged.control_log_views_n as control_n,
        judged.control_log_views_mean as control_mean,
        judged.control_log_views_sum as control_sum,
        judged.control_log_views_sum_squares as control_sum_squares,
        judged.lift,
        judged.lift_se,
        judged.se_source,
        judged.shrunk_lift,
        judged.lift_lo,
        judged.lift_hi,
        judged.chance_to_win,
        judged.expected_loss,
        exp(judged.log_views_mean - judged.control_log_views_mean) - 1 as views_lift,
        exp(judged.shrunk_lift * judged.control_log_views_mean) - 1 as shrunk_views_lift,
        exp(judged.lift_lo * judged.control_log_views_mean) - 1 as views_lift_lo,
        exp(judged.lift_hi * judged.control_log_views_mean) - 1 as views_lift_hi,

        -- engagement rate of posts at 72 hours
        judged.engagement_rate_n,
        judged.engagement_rate_mean,
        judged.engagement_rate_sum,
        judged.engagement_rate_sum_squares,
        judged.control_engagement_rate_n,
        judged.control_engagement_rate_mean,
        judged.control_engagement_rate_sum,
        judged.control_engagement_rate_sum_squares,
        {%- for column in [
            'lift', 'lift_se', 'se_source', 'shrunk_lift', 'lift_lo', 'lift_hi',
            'chance_to_win', 'expected_loss',
        ] %}
        judged.engagement_rate_{{ column }},
        {%- endfor %}

        -- latest counts
        judged.views,
        judged.engagements,
        {{ rate_per_view('judged.rated_engagements', 'judged.rated_views') }} as engagement_rate,
        rates.rate_eb as engagement_rate_eb,
        rates.rate_eb_lo as engagement_rate_eb_lo,
        rates.rate_eb_hi as engagement_rate_eb_hi,
        greatest(judged.known_at, judged.platform_known_at) as known_at
    from judged
    inner join rates
        on judged.experiment_id = rates.experiment_id
        and judged.platform = rates.platform

)

select * from final
