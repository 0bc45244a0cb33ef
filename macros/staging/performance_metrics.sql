{# Polls of published posts of the sources given, named and cast. #}
{% macro staged_performance_metrics(sources) %}
with

landed as (
    {{ landed(sources, 'performance_metrics', [
        'metric_id', 'post_id', 'views', 'likes', 'comments', 'shares', 'collected_at',
        'platform', 'external_post_id', 'view_count', 'like_count', 'comment_count',
        'share_count', 'watch_time_ms', 'completion_rate',
    ] + told_columns()) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('metric_id', 'uuid') }} as metric_id,
        {{ as_kind('post_id', 'uuid') }} as given_post_id,
        nullif(lower({{ trimmed('platform') }}), '') as platform,
        nullif({{ trimmed('external_post_id') }}, '') as external_post_id,

        -- counts
        coalesce(views, view_count) as views,
        coalesce(likes, like_count) as likes,
        coalesce(comments, comment_count) as comments,
        coalesce(shares, share_count) as shares,
        {{ counts_as_written() }} as counts_as_written,

        -- watch time
        watch_time_ms,
        completion_rate,

        -- beyond counts
        {{ told() }} as told,

        -- timestamps
        collected_at
    from landed

)

select * from renamed
{% endmacro %}
