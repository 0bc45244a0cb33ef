{%- set observed_at = 'coalesce(collected_at, created_at, _known_at)' -%}

{{ versioned_rows(
    table='raw_videos',
    key='id',
    sources=[
        'stg_operational__raw_videos',
        'stg_tiktok_research__raw_videos',
        'stg_apify_tiktok__raw_videos',
        'stg_youtube__raw_videos',
        'stg_youtube_trending__raw_videos',
        'stg_instagram__raw_videos',
        'stg_yt_dlp__raw_videos',
    ],
    columns=[
        'external_id', 'platform', 'caption', 'hashtags', 'author', 'view_count', 'like_count',
        'share_count', 'comment_count', 'collected_at', 'created_at',
    ],
    natural=[escaped('platform'), escaped('external_id'), epoch_us(observed_at)],
    required=['platform', 'external_id'],
    counts=['view_count', 'like_count', 'share_count', 'comment_count'],
    times=['collected_at', 'created_at'],
) }}
