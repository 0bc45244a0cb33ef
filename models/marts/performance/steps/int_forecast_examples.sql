{{ config(
    materialized='incremental',
    incremental_strategy='differences_by_post',
    unique_key=['post_id', 'from_hours', 'target_hours'],
    on_schema_change='fail',
    post_hook="{{ record_consumed(['post_age_metrics', 'post_metric_history']) }}",
) }}

{#- An early slope needs a poll at this share of the age or before. -#}
{%- set early_share = 0.6 -%}
{%- set early -%}
filter (where polls.age_hours <= {{ early_share }} * origins.age_hours)
{%- endset %}

with

{{ with_changed_posts() -}}
posts as (

    select
        post_id,
        platform,
        published_at,
        {{ lot_of_post('post_id') }} as lot
    from {{ ref('accepted_published_posts') }}
    {{ where_changed() }}

),

targets as (

    select * from {{ ref('post_age_metrics') }}
    where horizon_hours in ({{ forecast_targets() | join(', ') }}) {{ and_changed() }}

),

polls as {{ rows_of_changed() }} (

    select
        post_id,
        age_hours,
        views_mono,
        known_at
    from {{ ref('post_metric_history') }}
    where views is not null
        and age_hours > 0 {{ and_changed() }}

),

latest as (

    select
        post_id,
        max(age_hours) as age_hours
    from polls
    group by post_id

),

bands as (

    select
        cast(hours.from_hours as bigint) as from_hours,
        hours.until_hours
    from (
        values
        {%- for hours in forecast_origins() %}
        ({{ hours }}, {{ age_horizons()[loop.index] }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as hours (from_hours, until_hours)

),

{# The poll of a post in each band that a forecast starts from. What is pending starts from the
   latest there is; what is known by now from the poll that was the latest at an age drawn
   within the band, so that ages are as they really are. Running maxima are largest there. #}
origins as (

    select
        polls.post_id,
        bands.from_hours,
        latest.age_hours < bands.until_hours as is_latest,
        coalesce(
            max(polls.age_hours) filter (
                where latest.age_hours < bands.until_hours
                or polls.age_hours
                <= bands.from_hours + posts.lot * (bands.until_hours - bands.from_hours)
            ),
            min(polls.age_hours)
        ) as age_hours
    from polls
    inner join posts on polls.post_id = posts.post_id
    inner join latest on polls.post_id = latest.post_id
    inner join bands
        on polls.age_hours >= bands.from_hours
        and polls.age_hours < bands.until_hours
    group by
        polls.post_id,
        bands.from_hours,
        bands.until_hours,
        latest.age_hours

),

{# It rests on nothing that came later: with all polls up to its own age it is known. #}
starts as (

    select
        origins.post_id,
        origins.from_hours,
        origins.is_latest,
        origins.age_hours,
        cast(max(polls.views_mono) as {{ type_double() }}) as views,
        max(polls.known_at) as origin_at,
        max(polls.age_hours) {{ early }} as early_age_hours,
        max(polls.views_mono) {{ early }} as early_views
    from origins
    inner join polls
        on origins.post_id = polls.post_id
        and origins.age_hours >= polls.age_hours
    group by origins.post_id, origins.from_hours, origins.is_latest, origins.age_hours

),

described as (

    select
        starts.post_id,
        starts.from_hours,
        targets.horizon_hours as target_hours,
        posts.platform,
        cast({{ definition_era('posts.platform', 'posts.published_at') }} as bigint)
            as definition_era,
        starts.age_hours as from_age_hours,
        starts.views as from_views,
        ln(targets.horizon_hours / starts.age_hours) as log_ahead,
        starts.views = 0 as from_zero,
        ln(greatest(starts.views, 1)) as log_size,
        ln((starts.views + 1) / (starts.early_views + 1))
        / ln(starts.age_hours / starts.early_age_hours) as early_slope,
        targets.status = 'pending' as is_pending,
        targets.views as target_views,
        targets.crosses_break,
        (starts.views = 0 or targets.views > 0)
        and targets.views is not null
        and not targets.crosses_break as is_example,
        starts.origin_at,
        case
            when targets.status <> 'pending' then greatest(starts.origin_at, targets.known_at)
        end as target_known_at
    from starts
    inner join posts on starts.post_id = posts.post_id
    inner join targets
        on starts.post_id = targets.post_id
        and starts.from_hours < targets.horizon_hours
    where starts.is_latest or targets.status <> 'pending'

),

{# The fit a forecast is made with: all that is known now for the pending, what was known
   on the Monday before for those that can be scored by now. #}
final as (

    select
        post_id,
        from_hours,
        target_hours,
        platform,
        definition_era,
        from_age_hours,
        from_views,
        from_zero,
        log_ahead,
        log_size,
        early_slope,
        is_pending,
        target_views,
        crosses_break,
        coalesce(is_example, false) as is_example,
        origin_at,
        target_known_at,
        case
            when is_pending then {{ live_fit() }}
            when is_example and origin_at < target_known_at then {{ monday_of('origin_at') }}
        end as fit_at,
        {{ midnight_after('target_known_at') }} as known_on,
        {{ build_number() }} as _build
    from described

)

select * from final
