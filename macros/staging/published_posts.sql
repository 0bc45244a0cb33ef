{# Published posts of the sources given, named and cast. #}
{% macro staged_published_posts(sources) %}
with

landed as (
    {{ landed(sources, 'published_posts', [
        'post_id', 'experiment_id', 'platform', 'external_post_id', 'published_at',
        'platform_post_id', 'posted_at', 'caption', 'hashtags', 'workflow_id',
        'correlation_id', 'created_at'
    ]) }}

),

renamed as (

    select
        -- bookkeeping
        {{ bookkeeping() }},

        -- ids
        {{ as_kind('post_id', 'uuid') }} as post_id,
        {{ as_kind('experiment_id', 'uuid') }} as experiment_id,

        -- text
        nullif(lower({{ trimmed('platform') }}), '') as platform,
        nullif({{ trimmed('coalesce(external_post_id, platform_post_id)') }}, '')
            as external_post_id,
        caption,
        workflow_id,
        correlation_id,

        -- tags
        hashtags,

        -- timestamps
        coalesce(published_at, posted_at) as published_at,
        created_at
    from landed

)

select * from renamed
{% endmacro %}
