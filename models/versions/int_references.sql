{{ config(materialized='view') }}

{# Every row an embedding can refer to, with all that can name it. #}
{%- set keys = {
    'products': 'product_id',
    'scripts': 'script_id',
    'creative_patterns': 'pattern_id',
    'agent_notes': 'note_id',
    'experiments': 'experiment_id',
    'video_assets': 'asset_id',
    'trend_snapshots': 'snapshot_id',
    'published_posts': 'post_id',
    'raw_videos': 'id',
} -%}
{%- set with_natural_key = ['published_posts', 'raw_videos'] -%}

with

final as (
    {% for table, key in keys.items() %}
    select
        '{{ table }}' as table_name,
        {{ key }} as reference_id,
        _source_key as source_key,
        {{ '_natural' if table in with_natural_key else 'cast(null as ' ~ type_uuid() ~ ')' }}
            as natural_key,
        _verdict = 'accepted' as is_accepted,
        _valid_from as valid_from,
        _changed_build as changed_build
    from {{ ref('int_' ~ table) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
