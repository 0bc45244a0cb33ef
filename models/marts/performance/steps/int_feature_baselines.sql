{{ config(
    materialized='incremental',
    incremental_strategy='stale_posts',
    unique_key=['post_id'],
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{# Running sums over all labels that became known, in the order in which they did. A post's row
   is what the sums were when it went out: it stays as it is unless what was known by the end
   of its day changed, which it keeps in two numbers. Then rows are made anew from the first
   such day on, over what had added up before. #}
{%- set groups = {
    'platform': ['platform'],
    'product_platform': ['product_id', 'platform'],
    'product': ['product_id'],
} -%}
{%- set pattern_group = ['pattern_id', 'platform'] -%}
{%- set measures = label_measures() -%}
{%- set pattern_measures = ['labels', 'rated', 'rated_views', 'engagements', 'lifts', 'lift'] %}

with

posts as (

    select
        identity.*,
        {{ day_of('published_at') }} as published_on
    from {{ ref('int_feature_identity') }} as identity

),

label_events as {{ inlined() }} (

    select * from {{ ref('int_feature_label_events') }}

),

event_days as (

    select
        moment_on,
        count(*) as events,
        max(_build) as newest_build
    from label_events
    group by moment_on

),

known_by_day as (

    select
        days.published_on,
        cast(coalesce(sum(event_days.events), 0) as bigint) as events_by_day,
        coalesce(max(event_days.newest_build), 0) as newest_build_by_day
    from (select distinct published_on from posts) as days
    left join event_days on days.published_on >= event_days.moment_on
    group by days.published_on

),

stale_posts as {{ computed_once() }} (

    select
        posts.post_id,
        posts.platform,
        posts.product_id,
        posts.pattern_id,
        posts.published_at,
        posts.published_on,
        known_by_day.events_by_day,
        known_by_day.newest_build_by_day
    from posts
    inner join known_by_day on posts.published_on = known_by_day.published_on
    {%- if is_incremental() %}
    left join {{ this }} as kept
        on posts.post_id = kept.post_id
        and known_by_day.events_by_day = kept.events_by_day
        and known_by_day.newest_build_by_day = kept.newest_build_by_day
    where kept.post_id is null
        or posts._build > {{ consumed_build() }}
    {%- endif %}

),

first_day as {{ computed_once() }} (

    select min(published_on) as published_on from stale_posts

),

{# What had added up before that day is one event at its beginning. #}
events as {{ computed_once() }} (

    select
        cast(null as {{ type_uuid() }}) as post_id,
        label_events.platform,
        label_events.product_id,
        first_day.published_on as moment,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from label_events
    inner join first_day on label_events.moment_on < first_day.published_on
    group by label_events.platform, label_events.product_id, first_day.published_on
    union all
    select
        label_events.post_id,
        label_events.platform,
        label_events.product_id,
        label_events.moment,
        {{ measures | join(',
        ') }}
    from label_events
    inner join first_day on label_events.moment_on >= first_day.published_on

),

{# Peers of a moment are summed together: what became known as the post went out counts. #}
stream as (

    select
        false as is_post,
        events.*
    from events
    union all
    select
        true as is_post, post_id, platform, product_id, published_at as moment,
        {{ (['0'] * (measures | length)) | join(', ') }}
    from stale_posts

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

expectations as (

    select
        post_id,
        expected_ln_views
    from expected
    {%- if is_incremental() %}
    union all
    select
        post_id,
        expected_ln_views_72h as expected_ln_views
    from {{ this }}
    where post_id not in (select stale_posts.post_id from stale_posts)
        and exists (select 1 from stale_posts)
    {%- endif %}

),

{# How a label turned out against what was expected of its post. #}
lift_events as (

    select
        label_events.pattern_id,
        label_events.platform,
        label_events.moment,
        label_events.labels,
        label_events.rated,
        label_events.rated_views,
        label_events.engagements,
        case
            when expectations.expected_ln_views is not null then label_events.labels else 0
        end as lifts,
        case
            when expectations.expected_ln_views is not null
            then cast(
                    label_events.ln_views
                    - label_events.labels
                    * cast(expectations.expected_ln_views as decimal(18, 9)) as decimal(38, 9)
                )
            else 0
        end as lift
    from label_events
    inner join expectations on label_events.post_id = expectations.post_id
    where label_events.pattern_id is not null

),

pattern_stream as (

    select
        false as is_post,
        cast(null as {{ type_uuid() }}) as post_id,
        lift_events.pattern_id,
        lift_events.platform,
        greatest(lift_events.moment, first_day.published_on) as moment,
        {%- for measure in pattern_measures %}
        sum({{ measure }}) as {{ measure }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from lift_events
    cross join first_day
    group by
        lift_events.pattern_id,
        lift_events.platform,
        greatest(lift_events.moment, first_day.published_on)
    union all
    select
        true as is_post,
        post_id,
        pattern_id,
        platform,
        published_at as moment,
        {{ (['0'] * (pattern_measures | length)) | join(', ') }}
    from stale_posts
    where pattern_id is not null

),

pattern_running as (

    select
        is_post,
        post_id,
        {%- for measure in pattern_measures %}
        sum({{ measure }}) over by_pattern
            as pattern_{{ measure }}{% if not loop.last %},{% endif %}
        {%- endfor %}
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

of_day as (

    select
        with_weight.*,
        stale_posts.published_on,
        stale_posts.events_by_day,
        stale_posts.newest_build_by_day
    from with_weight
    inner join stale_posts on with_weight.post_id = stale_posts.post_id

),

final as (

    select
        post_id,
        published_on,
        events_by_day,
        newest_build_by_day,
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
            as pattern_engagement_rate_72h_eb,
        {{ build_number() }} as _build
    from of_day

)

select * from final
