{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'horizon_hours', 'known_from'],
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{%- set metrics = ['views', 'likes', 'comments', 'shares'] %}

{# What the polls around a horizon say of each metric. Running maxima: the value before a
   horizon is the largest up to it, the one after it is no smaller. #}
{%- set brackets -%}
        {%- for metric in metrics %}
        coalesce(max(age_us) filter (where age_us <= horizon_us and {{ metric }} is not null), 0)
            as {{ metric }}_age0,
        coalesce(max({{ metric }}) filter (where age_us <= horizon_us), 0) as {{ metric }}_0,
        min(age_us) filter (where age_us >= horizon_us and {{ metric }} is not null)
            as {{ metric }}_age1,
        {{ first_by(metric, 'age_us', 'age_us >= horizon_us and ' ~ metric ~ ' is not null') }}
            as {{ metric }}_after{% if not loop.last %},{% endif %}
        {%- endfor %}
{%- endset %}

with

changed as (

    {{ changed_posts() }}

),

posts as (

    select
        post_id,
        published_at,
        _state_from
    from {{ ref('accepted_published_posts') }}
    where post_id in (select changed.post_id from changed)

),

horizons as (

    select
        cast(horizon_hours as bigint) as horizon_hours,
        cast(horizon_hours as bigint) * 3600000000 as horizon_us
    from {{ ref('age_horizons') }}

),

replaced as (

    {{ replaced_polls() }}

),

{# Every version of every poll and when it counted. Ages are by the publication the post
   states now: nothing is known of them before it did. #}
poll_versions as (

    select
        metrics.post_id,
        metrics.views,
        metrics.likes,
        metrics.comments,
        metrics.shares,
        metrics.counts_as_written,
        {{ age_us('posts.published_at', 'metrics.collected_at') }}
            as age_us,
        greatest(metrics.known_at, posts._state_from) as known_from,
        replaced.replaced_at as known_to
    from {{ ref('valid_performance_metrics') }} as metrics
    inner join posts on metrics.post_id = posts.post_id
    left join replaced
        on metrics._load_id = replaced._load_id
        and metrics._position = replaced._position

),

polls as {{ computed_once() }} (

    select * from poll_versions
    where known_to is null or known_to > known_from

),

{# Posts of which a poll was corrected, or whose polls show different metrics, or shortened
   counts, which the next exact poll bounds. #}
uneven_posts as (

    select post_id
    from polls
    group by post_id
    having count(known_to) > 0
        or count(counts_as_written) > 0
        {%- for metric in metrics %}
        or count({{ metric }}) not in (0, count(*))
        {%- endfor %}

),

{# All polls at once: what most horizons ever had to say, first when their first poll
   after it was known. #}
at_once as {{ computed_once() }} (

    select
        polls.post_id,
        horizons.horizon_hours,
        horizons.horizon_us,
        min(polls.known_from) filter (where polls.age_us >= horizons.horizon_us) as first_known,
        max(polls.known_from) filter (where polls.age_us <= horizons.horizon_us)
            as last_known_before,
        {{ first_by('known_from', 'age_us', 'age_us >= horizon_us') }} as known_after,
        {{ brackets }}
    from polls
    cross join horizons
    group by polls.post_id, horizons.horizon_hours, horizons.horizon_us

),

{# Where polls were known in another order than they were collected. #}
disordered as (

    select
        post_id,
        horizon_hours,
        horizon_us,
        first_known
    from at_once
    where first_known is not null
        and (
            last_known_before > first_known
            or known_after > first_known
            or post_id in (select uneven_posts.post_id from uneven_posts)
        )

),

{# For each poll after a horizon: since when another one between them, that is exact and was
   never corrected, took its place (for each metric). #}
shadowed as (

    select
        disordered.post_id,
        disordered.horizon_hours,
        disordered.horizon_us,
        disordered.first_known,
        polls.age_us,
        polls.known_from,
        polls.known_to,
        polls.counts_as_written,
        {%- for metric in metrics %}
        polls.{{ metric }},
        min(
            case
                when polls.age_us >= disordered.horizon_us
                    and polls.known_to is null
                    and polls.{{ metric }} is not null
                    and polls.counts_as_written is null
                then polls.known_from
            end
        )
            over nearer as {{ metric }}_shadowed_from{% if not loop.last %},{% endif %}
        {%- endfor %}
    from disordered
    inner join polls on disordered.post_id = polls.post_id
    window nearer as (
        partition by disordered.post_id, disordered.horizon_hours
        order by polls.age_us
        rows between unbounded preceding and 1 preceding
    )

),

relevant as {{ computed_once() }} (

    select
        post_id,
        horizon_hours,
        horizon_us,
        first_known,
        age_us,
        known_from,
        known_to,
        counts_as_written,
        {{ metrics | join(', ') }}
    from shadowed
    where age_us <= horizon_us
        {%- for metric in metrics %}
        or (
            {{ metric }} is not null
            and ({{ metric }}_shadowed_from is null or known_from < {{ metric }}_shadowed_from)
        )
        {%- endfor %}

),

{# When anything can have changed, from the first poll after the horizon on. #}
moments as (

    select
        post_id,
        horizon_hours,
        horizon_us,
        greatest(known_from, first_known) as moment
    from relevant
    union
    select
        post_id,
        horizon_hours,
        horizon_us,
        known_to
    from relevant
    where known_to > first_known

),

at_moments as (

    select
        moments.post_id,
        moments.horizon_hours,
        moments.horizon_us,
        moments.moment,
        relevant.age_us,
        relevant.counts_as_written,
        relevant.known_from,
        {%- for metric in metrics %}
        relevant.{{ metric }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from moments
    left join relevant
        on moments.post_id = relevant.post_id
        and moments.horizon_hours = relevant.horizon_hours
        and moments.moment >= relevant.known_from
        and (relevant.known_to is null or moments.moment < relevant.known_to)

),

rounded_posts as (

    select distinct post_id
    from polls
    where counts_as_written is not null

),

shortened as (

    select * from at_moments
    where post_id in (select rounded_posts.post_id from rounded_posts)

),

{{ unrounded('shortened', 'post_id, horizon_hours, moment', 'age_us', metrics, 'known_from') }}

clean_at_moments as (

    select
        post_id,
        horizon_hours,
        horizon_us,
        moment,
        age_us,
        {{ metrics | join(', ') }}
    from at_moments
    where post_id not in (select rounded_posts.post_id from rounded_posts)
    union all
    select
        post_id,
        horizon_hours,
        horizon_us,
        moment,
        age_us,
        {%- for metric in metrics %}
        {{ metric }}_clean as {{ metric }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from unrounded

),

bracketed as (

    select
        post_id,
        horizon_hours,
        horizon_us,
        first_known as moment,
        {%- for metric in metrics %}
        {{ metric }}_age0,
        {{ metric }}_0,
        {{ metric }}_age1,
        {{ metric }}_after{% if not loop.last %},{% endif %}
        {%- endfor %}
    from at_once
    where first_known is not null
        and not exists (
            select 1 from disordered
            where disordered.post_id = at_once.post_id
                and disordered.horizon_hours = at_once.horizon_hours
        )
    union all
    select
        post_id,
        horizon_hours,
        horizon_us,
        moment,
        {{ brackets }}
    from clean_at_moments
    group by post_id, horizon_hours, horizon_us, moment

),

with_maxima as (

    select
        bracketed.*
        {%- for metric in metrics %},
        greatest({{ metric }}_0, {{ metric }}_after) as {{ metric }}_1
        {%- endfor %}
    from bracketed

),

valued as (

    select
        post_id,
        horizon_hours,
        moment,
        {{ bracket_status('views') }} as status,
        {%- for metric in metrics %}
        case
            when {{ bracket_status(metric) }} in ('pending', 'gap') then null
            else {{ interpolate(
                'horizon_us', metric ~ '_age0', metric ~ '_0', metric ~ '_age1', metric ~ '_1'
            ) }}
        end as {{ metric }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from with_maxima

),

compared as (

    select
        valued.*,
        (
            row(status, {{ metrics | join(', ') }})
            is distinct from lag(row(status, {{ metrics | join(', ') }})) over by_moment
        ) as is_change
    from valued
    window by_moment as (partition by post_id, horizon_hours order by moment)

),

versions as (

    select
        post_id,
        horizon_hours,
        moment as known_from,
        lead(moment) over (partition by post_id, horizon_hours order by moment) as known_to,
        status,
        {%- for metric in metrics %}
        {{ metric }},
        {%- endfor %}
        {{ sum_known(['likes', 'comments', 'shares']) }} as engagements
    from compared
    where is_change

),

final as (

    select
        post_id,
        horizon_hours,
        known_from,
        known_to,
        status,
        views,
        likes,
        comments,
        shares,
        engagements,
        {{ rate_per_view('engagements', 'views') }} as engagement_rate
    from versions
    where status <> 'pending'
        or coalesce(views, engagements) is not null

)

select * from final
