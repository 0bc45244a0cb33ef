{%- set observed_at = 'coalesce(collected_at, _known_at)' -%}

{{ versioned_rows(
    table='performance_metrics',
    key='metric_id',
    sources=staging_models()['performance_metrics'],
    identity=['given_post_id', 'platform', 'external_post_id'],
    columns=[
        'views', 'likes', 'comments', 'shares', 'watch_time_ms', 'completion_rate',
        'collected_at', 'counts_as_written',
    ],
    compared=["coalesce(cast(post_id as text), platform || '/' || external_post_id)"],
    natural=['_parent_key', epoch_us(observed_at)],
    required=['post_id'],
    parents=[parent_post()],
    counts=['views', 'likes', 'comments', 'shares', 'watch_time_ms'],
    times=['collected_at'],
    ranges={
        'collected_at': 'coalesce(candidates.collected_at, candidates._known_at) '
            ~ "< parent_post_id.published_at - interval '" ~ var('early_poll_minutes') ~ "' minute",
    },
    referenced=false,
) }}
