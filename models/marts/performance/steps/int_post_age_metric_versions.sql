{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key=['post_id', 'horizon_hours', 'known_from'],
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{%- set metrics = ['views', 'likes', 'comments', 'shares'] %}

{%- set of_a_poll -%}
metrics.post_id,
        metrics.views,
        metrics.likes,
        metrics.comments,
        metrics.shares,
        metrics.counts_as_written,
        {{ age_us('posts.published_at', 'metrics.collected_at') }} as age_us,
        greatest(metrics.known_at, posts._state_from) as known_from
{%- endset %}

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

{{ with_changed_posts() -}}
{# Ages are by the publication the post states now: nothing is known of them before it did. #}
posts as (

    select
        post_id,
        published_at,
        _state_from
    from {{ ref('accepted_published_posts') }}

),

horizons as (

    select
        cast(horizon_hours as bigint) as horizon_hours,
        cast(horizon_hours as bigint) * 3600000000 as horizon_us
    from {{ ref('age_horizons') }}

),

polls as {{ rows_of_changed() }} (

    select
        {{ of_a_poll }}
    from {{ ref('valid_performance_metrics') }} as metrics
    inner join posts on metrics.post_id = posts.post_id
    where metrics.is_accepted
        {{ and_changed('metrics.post_id') }}

),

replaced as {{ computed_once() }} (

    select
        {{ of_a_poll }},
        metrics.replaced_at as known_to
    from (
        {{ replaced_polls() }}
    ) as metrics
    inner join posts on metrics.post_id = posts.post_id

),

{# Posts of which a poll was corrected, or whose polls show different metrics, or shortened
   counts, which the next exact poll bounds. #}
uneven_posts as {{ computed_once() }} (

    select post_id
    from polls
    group by post_id
    having count(counts_as_written) > 0
        {%- for metric in metrics %}
        or count({{ metric }}) not in (0, count(*))
        {%- endfor %}
    union
    select replaced.post_id
    from replaced

),

{# Of all other posts one sorted pass says what the polls around a horizon are. #}
in_order as (

    select
        post_id,
        age_us,
        known_from,
        lag(age_us) over by_age as previous_age_us,
        max(known_from) over so_far as known_so_far,
        min(known_from) over from_here as first_known,
        {%- for metric in metrics %}
        {{ metric }},
        max({{ metric }}) over earlier as {{ metric }}_before{% if not loop.last %},{% endif %}
        {%- endfor %}
    from polls
    where not exists (
            select 1 from uneven_posts
            where uneven_posts.post_id = polls.post_id
        )
    window
        by_age as (partition by post_id order by age_us),
        so_far as (partition by post_id order by age_us rows unbounded preceding),
        from_here as (
            partition by post_id
            order by age_us
            rows between current row and unbounded following
        ),
        earlier as (
            partition by post_id
            order by age_us
            rows between unbounded preceding and 1 preceding
        )

),

{# The first polls at or after a horizon, which are few: the join need not sort the others. #}
at_horizons as (

    select *
    from in_order
    where {% for hours in age_horizons() -%}
        (
            coalesce(previous_age_us, 0) < {{ hours }} * 3600000000
            and age_us >= {{ hours }} * 3600000000
        )
        {{- '\n        or ' if not loop.last }}
        {%- endfor %}

),

{# The first poll at or after each horizon. Mostly the polls before it were known by then and
   none after it was known sooner: such an age has the one version. #}
at_once as {{ computed_once() }} (

    select
        in_order.post_id,
        horizons.horizon_hours,
        horizons.horizon_us,
        in_order.first_known,
        in_order.known_so_far > in_order.first_known as is_disordered,
        {%- for metric in metrics %}
        coalesce(in_order.previous_age_us, 0) as {{ metric }}_age0,
        coalesce(in_order.{{ metric }}_before, 0) as {{ metric }}_0,
        case when in_order.{{ metric }} is not null then in_order.age_us end as {{ metric }}_age1,
        in_order.{{ metric }} as {{ metric }}_after{% if not loop.last %},{% endif %}
        {%- endfor %}
    from at_horizons as in_order
    inner join horizons
        on in_order.age_us >= horizons.horizon_us
        and coalesce(in_order.previous_age_us, 0) < horizons.horizon_us

),

other_posts as (

    select distinct
        post_id,
        false as is_uneven
    from at_once
    where is_disordered
    union all
    select
        post_id,
        true as is_uneven
    from uneven_posts

),

{# Every version of every poll of the others and when it counted. #}
versions_of_polls as {{ computed_once() }} (

    select
        polls.post_id,
        polls.age_us,
        {%- for metric in metrics %}
        polls.{{ metric }},
        {%- endfor %}
        polls.counts_as_written,
        polls.known_from,
        cast(null as {{ type_timestamptz() }}) as known_to,
        other_posts.is_uneven
    from polls
    inner join other_posts on polls.post_id = other_posts.post_id
    union all
    select
        post_id,
        age_us,
        {{ metrics | join(', ') }},
        counts_as_written,
        known_from,
        known_to,
        true as is_uneven
    from replaced
    where known_to > known_from

),

disordered as (

    select
        post_id,
        horizon_hours,
        horizon_us,
        first_known
    from at_once
    where is_disordered
    union all
    select
        polls.post_id,
        horizons.horizon_hours,
        horizons.horizon_us,
        min(polls.known_from) as first_known
    from versions_of_polls as polls
    inner join horizons on polls.age_us >= horizons.horizon_us
    where polls.is_uneven
    group by polls.post_id, horizons.horizon_hours, horizons.horizon_us

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
    inner join versions_of_polls as polls on disordered.post_id = polls.post_id
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
    from versions_of_polls
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
        false as is_disordered,
        {%- for metric in metrics %}
        {{ metric }}_age0,
        {{ metric }}_0,
        {{ metric }}_age1,
        {{ metric }}_after{% if not loop.last %},{% endif %}
        {%- endfor %}
    from at_once
    where not is_disordered
    union all
    select
        post_id,
        horizon_hours,
        horizon_us,
        moment,
        true as is_disordered,
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
        is_disordered,
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
            {{ record() }}(status, {{ metrics | join(', ') }})
            is distinct from lag({{ record() }}(status, {{ metrics | join(', ') }})) over by_moment
        ) as is_change
    from valued
    where is_disordered
    window by_moment as (partition by post_id, horizon_hours order by moment)

),

versions as (

    select
        post_id,
        horizon_hours,
        moment as known_from,
        cast(null as {{ type_timestamptz() }}) as known_to,
        status,
        {{ metrics | join(', ') }}
    from valued
    where not is_disordered
    union all
    select
        post_id,
        horizon_hours,
        moment as known_from,
        lead(moment) over (partition by post_id, horizon_hours order by moment) as known_to,
        status,
        {{ metrics | join(', ') }}
    from compared
    where is_change

),

with_engagements as (

    select
        *,
        {{ sum_known(['likes', 'comments', 'shares']) }} as engagements
    from versions

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
    from with_engagements
    where status <> 'pending'
        or coalesce(views, engagements) is not null

)

select * from final
