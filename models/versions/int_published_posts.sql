{%- set due = "published_at - interval '24' hour" -%}

{# `all` is no platform: it is how marts call their rows about all platforms. #}
{{ versioned_rows(
    table='published_posts',
    key='post_id',
    sources=['stg_operational__published_posts'],
    columns=[
        'experiment_id', 'platform', 'external_post_id', 'published_at', 'caption', 'hashtags',
        'workflow_id', 'correlation_id', 'created_at',
    ],
    natural=[escaped('platform'), escaped('external_post_id')],
    required=['experiment_id', 'platform'],
    parents=[parent('experiment_id', 'experiments')],
    times=['created_at'],
    ranges={
        'platform': "candidates.platform = 'all'",
        'published_at': "candidates.published_at < cast('" ~ var('earliest_time') ~ "' as timestamptz)",
    },
    held='candidates.external_post_id is null or candidates.published_at is null '
        ~ 'or candidates.' ~ due ~ ' > build.as_of',
    due_at='existing.' ~ due,
    state=['published_at'],
    anchored=true,
) }}
