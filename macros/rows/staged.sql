{# Observations of trending videos, staged: every source lands them in one shape. #}
{% macro staged_raw_videos(sources) %}
with

landed as (
    {{ landed(sources, 'raw_videos', [
        'id', 'external_id', 'platform', 'caption', 'hashtags', 'author', 'view_count',
        'like_count', 'share_count', 'comment_count', 'collected_at', 'created_at',
        'caption_hashtags'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('id', 'uuid') }} as id,
        nullif({{ trimmed('external_id') }}, '') as external_id,

        -- text
        nullif(lower({{ trimmed('platform') }}), '') as platform,
        caption,
        author,

        -- tags
        case when {{ array_size('hashtags') }} > 0 then hashtags else caption_hashtags end as hashtags,

        -- counts
        view_count,
        like_count,
        share_count,
        comment_count,

        -- timestamps
        collected_at,
        created_at
    from landed

)

select * from renamed
{% endmacro %}


{# Polls of posts, staged: every source lands them in one shape. #}
{% macro staged_performance_metrics(sources) %}
with

landed as (
    {{ landed(sources, 'performance_metrics', [
        'metric_id', 'post_id', 'views', 'likes', 'comments', 'shares', 'collected_at',
        'platform', 'external_post_id', 'view_count', 'like_count', 'comment_count',
        'share_count', 'watch_time_ms', 'completion_rate'
    ]) }}

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

        -- timestamps
        collected_at
    from landed

)

select * from renamed
{% endmacro %}


{# Canonical table to the staging models that feed it: the one list of them. #}
{% macro staging_models() %}
    {%- set models = {} -%}
    {%- for table in canonical_keys() -%}
        {%- do models.update({table: ['stg_operational__' ~ table]}) -%}
    {%- endfor -%}
    {%- for source_name in [
        'tiktok_research', 'apify_tiktok', 'youtube', 'youtube_trending', 'instagram', 'yt_dlp',
    ] -%}
        {%- do models['raw_videos'].append('stg_' ~ source_name ~ '__raw_videos') -%}
    {%- endfor -%}
    {%- for source_name in ['tiktok', 'apify_tiktok', 'youtube', 'instagram', 'yt_dlp'] -%}
        {%- do models['performance_metrics'].append('stg_' ~ source_name ~ '__performance_metrics') -%}
    {%- endfor -%}
    {{ return(models) }}
{% endmacro %}
