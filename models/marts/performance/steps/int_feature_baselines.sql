{{ config(materialized='table') }}

{# Running sums over all that became known, in the order in which it did: a label counts
   from when its value was known until another value took its place, or until its platform
   changed what a view is. A post's row is what the sums were when it went out. Sums are
   of decimals, so that taking a label away leaves exactly what was there before. #}
{%- set groups = {
    'platform': ['platform'],
    'product_platform': ['product_id', 'platform'],
    'product': ['product_id'],
} -%}
{%- set pattern_group = ['pattern_id', 'platform'] -%}
{%- set measures = ['labels', 'ln_views', 'ln_views_squared', 'rated', 'rated_views', 'engagements', 'engagements_squared'] -%}

with

posts as (

    select * from {{ ref('int_feature_identity') }}

),

known_labels as (

    select
        versions.post_id,
        posts.platform,
        posts.product_id,
        posts.pattern_id,
        greatest(
            versions.known_from, posts.known_at, posts.published_at + interval '72' hour
        ) as known_from,
        least(versions.known_to, {{ next_break('posts.platform', 'posts.published_at') }})
            as known_to,
        cast(ln(1 + versions.views) as decimal(18, 9)) as ln_views,
        case when versions.views > 0 then versions.engagements end as engagements,
        versions.views
    from {{ ref('int_post_age_metric_versions') }} as versions
    inner join posts on versions.post_id = posts.post_id
    where versions.horizon_hours = 72
        and versions.views is not null

),

labels as (

    select
        post_id,
        platform,
        product_id,
        pattern_id,
        known_from,
        known_to,
        cast(1 as bigint) as labels,
        cast(ln_views as decimal(38, 9)) as ln_views,
        cast(ln_views * ln_views as decimal(38, 18)) as ln_views_squared,
        cast(case when engagements is not null then 1 else 0 end as bigint) as rated,
        cast(case when engagements is not null then views else 0 end as decimal(38, 6))
            as rated_views,
        cast(coalesce(engagements, 0) as decimal(38, 6)) as engagements,
        {# A post with a thousand engagements per view is an error: it must not leave the range. #}
        cast(coalesce(engagements * least(engagements / views, 1000), 0) as decimal(38, 9))
            as engagements_squared
    from known_labels
    where known_to is null or known_to > known_from

),

label_events as (

    select
        post_id, platform, product_id, pattern_id, known_from as moment,
        {{ measures | join(', ') }}
    from labels
    union all
    select
        post_id, platform, product_id, pattern_id, known_to as moment,
        -{{ measures | join(', -') }}
    from labels
    where known_to is not null

),

{# Peers of a moment are summed together: what became known as the post went out counts. #}
stream as (

    select
        false as is_post,
        label_events.*
    from label_events
    union all
    select
        true as is_post, post_id, platform, product_id, pattern_id, published_at as moment,
        {{ (['0'] * (measures | length)) | join(', ') }}
    from posts

),

running as (

    select
        is_post,
        post_id,
        {%- for group in groups %}
        {%- for measure in measures %}
        sum({{ measure }}) over by_{{ group }}
            as {{ group }}_{{ measure }}{% if not loop.last %},{% endif %}
        {%- endfor %}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from stream
    window
        {%- for group, columns in groups.items() %}
        by_{{ group }} as (
            partition by {{ columns | join(', ') }} order by moment
        ){% if not loop.last %},{% endif %}
        {%- endfor %}

),

{# What a post's views were expected to be: its product's mean on the platform, drawn to
   the platform's. #}
expected as {{ computed_once() }} (

    select
        running.*,
        (
            {{ 'cast(product_platform_ln_views as ' ~ type_double() ~ ')' }}
            + {{ var('baseline_prior_posts') }}
            * {{ ratio('platform_ln_views', 'platform_labels') }}
        )
        / (product_platform_labels + {{ var('baseline_prior_posts') }}) as expected_ln_views
    from running
    where is_post

),

{# How a label turned out against what was expected of its post. #}
lift_events as (

    select
        label_events.post_id,
        label_events.pattern_id,
        label_events.platform,
        label_events.moment,
        label_events.labels,
        label_events.rated,
        label_events.rated_views,
        label_events.engagements,
        case
            when expected.expected_ln_views is not null then label_events.labels else 0
        end as lifts,
        case
            when expected.expected_ln_views is not null
            then cast(
                    label_events.ln_views
                    - label_events.labels
                    * cast(expected.expected_ln_views as decimal(18, 9)) as decimal(38, 9)
                )
            else 0
        end as lift
    from label_events
    inner join expected on label_events.post_id = expected.post_id
    where label_events.pattern_id is not null

),

pattern_stream as (

    select
        false as is_post,
        lift_events.*
    from lift_events
    union all
    select
        true as is_post,
        post_id,
        pattern_id,
        platform,
        published_at as moment,
        0,
        0,
        0,
        0,
        0,
        0
    from posts
    where pattern_id is not null

),

pattern_running as (

    select
        is_post,
        post_id,
        sum(labels) over by_pattern as pattern_labels,
        sum(rated) over by_pattern as pattern_rated,
        sum(rated_views) over by_pattern as pattern_rated_views,
        sum(engagements) over by_pattern as pattern_engagements,
        sum(lifts) over by_pattern as pattern_lifts,
        sum(lift) over by_pattern as pattern_lift
    from pattern_stream
    window by_pattern as (partition by {{ pattern_group | join(', ') }} order by moment)

),

pattern_sums as (

    select * from pattern_running
    where is_post

),

{# What the rate of a product or a pattern is drawn to, and how strongly: as much as rates
   of the platform's posts were known to differ, by five of them at least. #}
with_prior as (

    select
        expected.*,
        pattern_sums.pattern_labels,
        pattern_sums.pattern_rated_views,
        pattern_sums.pattern_engagements,
        pattern_sums.pattern_lifts,
        pattern_sums.pattern_lift,
        {{ ratio('expected.platform_engagements', 'expected.platform_rated_views') }}
            as platform_rate,
        (cast(expected.platform_engagements as {{ type_double() }}) + {{ var('fallback_shape') }})
        / (
            cast(expected.platform_rated_views as {{ type_double() }})
            + {{ var('fallback_rate') }}
        ) as platform_rate_eb,
        case
            when expected.platform_rated >= 5
            then {{ gamma_excess_of_sums(
                'expected.platform_rated',
                'expected.platform_engagements',
                'expected.platform_rated_views',
                'expected.platform_engagements_squared',
            ) }}
        end as excess
    from expected
    left join pattern_sums on expected.post_id = pattern_sums.post_id

),

with_weight as (

    select
        with_prior.*,
        case
            when excess is not null then {{ gamma_prior_rate('excess', 'platform_rate_eb') }}
            else cast({{ var('fallback_rate') }} as {{ type_double() }})
        end as prior_views
    from with_prior

),

final as (

    select
        post_id,
        {%- for group in groups %}
        cast({{ group }}_labels as bigint) as {{ group }}_posts_72h,
        {{ ratio(group ~ '_ln_views', group ~ '_labels') }} as {{ group }}_ln_views_72h,
        {{ deviation_of_sums(group ~ '_labels', group ~ '_ln_views', group ~ '_ln_views_squared') }}
            as {{ group }}_ln_views_72h_sd,
        {{ ratio(group ~ '_engagements', group ~ '_rated_views') }}
            as {{ group }}_engagement_rate_72h,
        {%- endfor %}
        platform_rate_eb as platform_engagement_rate_72h_eb,
        (cast(product_platform_engagements as {{ type_double() }}) + prior_views * platform_rate_eb)
        / (cast(product_platform_rated_views as {{ type_double() }}) + prior_views)
            as product_platform_engagement_rate_72h_eb,
        expected_ln_views as expected_ln_views_72h,
        cast(pattern_labels as bigint) as pattern_posts_72h,
        {{ ratio('pattern_lift', 'pattern_lifts') }} as pattern_lift_72h,
        cast(pattern_lift as {{ type_double() }})
        / (pattern_lifts + {{ var('baseline_prior_posts') }}) as pattern_lift_72h_eb,
        {{ ratio('pattern_engagements', 'pattern_rated_views') }} as pattern_engagement_rate_72h,
        (cast(pattern_engagements as {{ type_double() }}) + prior_views * platform_rate_eb)
        / (cast(pattern_rated_views as {{ type_double() }}) + prior_views)
            as pattern_engagement_rate_72h_eb
    from with_weight

)

select * from final
