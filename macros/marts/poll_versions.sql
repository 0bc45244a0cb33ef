{# Select of the versions of polls that a newer version of the same key replaced, with the
   time from which they were not to be used any more (`replaced_at`). As-of any time the
   newest version that is valid by then counts, so an older one lasts until the first of
   the newer ones takes effect; one that never counted is replaced when it takes effect, or
   before. Corrections are rare: the window is over the keys that have one only. #}
{% macro replaced_polls() -%}
    select
        _load_id,
        _position,
        post_id,
        collected_at,
        views,
        likes,
        comments,
        shares,
        counts_as_written,
        known_at,
        replaced_at
    from (
        select
            versions.*,
            min(known_at) over (
                partition by metric_id order by _known_at, _load_id, _position
                rows between 1 following and unbounded following
            ) as replaced_at
        from {{ ref('valid_performance_metrics') }} as versions
        where metric_id in (
                select metric_id
                from {{ ref('valid_performance_metrics') }}
                where not is_accepted
                    {{ and_changed() }}
            )
    ) as versions
    where replaced_at is not null
        {{ and_changed() }}
{%- endmacro %}
