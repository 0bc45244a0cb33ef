{# Written by `make schema` from loaders/schema.py. #}

{# Each table that lands: its key, the column with the time that a record's value was
   observed, and the staging models that name and cast its columns. #}
{% macro declared_tables() %}
    {{ return({
        'products': {
            'key': 'product_id',
            'observed_at': 'updated_at',
            'staging': [
                'stg_operational__products',
            ],
        },
        'creative_patterns': {
            'key': 'pattern_id',
            'observed_at': 'created_at',
            'staging': [
                'stg_operational__creative_patterns',
            ],
        },
        'agent_notes': {
            'key': 'note_id',
            'observed_at': 'created_at',
            'staging': [
                'stg_operational__agent_notes',
            ],
        },
        'embeddings': {
            'key': 'embedding_id',
            'observed_at': 'created_at',
            'staging': [
                'stg_operational__embeddings',
            ],
        },
        'raw_videos': {
            'key': 'id',
            'observed_at': 'collected_at',
            'staging': [
                'stg_operational__raw_videos', 'stg_tiktok_research__raw_videos',
                'stg_apify_tiktok__raw_videos', 'stg_youtube__raw_videos',
                'stg_youtube_trending__raw_videos', 'stg_instagram__raw_videos',
                'stg_yt_dlp__raw_videos',
            ],
        },
        'trend_snapshots': {
            'key': 'snapshot_id',
            'observed_at': 'snapshot_time',
            'staging': [
                'stg_operational__trend_snapshots',
            ],
        },
        'scripts': {
            'key': 'script_id',
            'observed_at': 'created_at',
            'staging': [
                'stg_operational__scripts',
            ],
        },
        'video_assets': {
            'key': 'asset_id',
            'observed_at': 'created_at',
            'staging': [
                'stg_operational__video_assets',
            ],
        },
        'experiments': {
            'key': 'experiment_id',
            'observed_at': 'created_at',
            'staging': [
                'stg_operational__experiments',
            ],
        },
        'published_posts': {
            'key': 'post_id',
            'observed_at': 'published_at',
            'staging': [
                'stg_operational__published_posts', 'stg_tiktok__published_posts',
                'stg_youtube__published_posts', 'stg_instagram__published_posts',
            ],
        },
        'performance_metrics': {
            'key': 'metric_id',
            'observed_at': 'collected_at',
            'staging': [
                'stg_operational__performance_metrics', 'stg_tiktok__performance_metrics',
                'stg_apify_tiktok__performance_metrics', 'stg_youtube__performance_metrics',
                'stg_instagram__performance_metrics', 'stg_yt_dlp__performance_metrics',
            ],
        },
        'system_events': {
            'key': 'event_id',
            'observed_at': 'created_at',
            'staging': [
                'stg_operational__system_events',
            ],
        },
    }) }}
{% endmacro %}


{# Sources that land every table in one shape. #}
{% macro operational_sources() %}
    {{ return(['supabase', 'files', 'inbox', 'demo']) }}
{% endmacro %}


{# Sources asked for all their tables at once: each is then known to be as it is. #}
{% macro asked_sources() %}
    {{ return(['supabase']) }}
{% endmacro %}


{# Columns that hold JSON documents, of all tables. #}
{% macro document_columns() %}
    {{ return([
        'content_brief', 'creative_variables', 'demo_ideas', 'key_features', 'meta', 'metadata',
        'objections', 'observed_performance', 'payload', 'raw_source_data',
    ]) }}
{% endmacro %}
