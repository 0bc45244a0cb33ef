{%- set observed_at = 'coalesce(collected_at, created_at, _known_at)' -%}

{{ versioned_rows(
    table='raw_videos',
    key='id',
    sources=staging_models()['raw_videos'],
    columns=[
        'external_id', 'platform', 'caption', 'hashtags', 'author', 'view_count', 'like_count',
        'share_count', 'comment_count', 'collected_at', 'created_at',
    ],
    natural=[escaped('platform'), escaped('external_id'), epoch_us(observed_at)],
    required=['platform', 'external_id'],
    counts=['view_count', 'like_count', 'share_count', 'comment_count'],
    times=['collected_at', 'created_at'],
) }}
