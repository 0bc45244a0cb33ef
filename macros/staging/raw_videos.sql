{# Observations of trending videos of the sources given, named and cast. #}
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
