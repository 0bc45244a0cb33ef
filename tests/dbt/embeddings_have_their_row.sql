{# Every embedding of a known type stands for a row that canonical has. #}
{%- set keys = {
    'products': 'product_id',
    'scripts': 'script_id',
    'creative_patterns': 'pattern_id',
    'raw_videos': 'id',
    'agent_notes': 'note_id',
    'experiments': 'experiment_id',
    'published_posts': 'post_id',
    'video_assets': 'asset_id',
    'trend_snapshots': 'snapshot_id',
} %}

with

meant as (

    select
        embeddings.embedding_id,
        embeddings.reference_id,
        types.table_name
    from {{ ref('embeddings') }} as embeddings
    inner join {{ ref('reference_types') }} as types
        on embeddings.reference_type = types.reference_type

)

{%- for table, key in keys.items() %}
{% if not loop.first %}union all{% endif %}
select meant.*
from meant
left join {{ ref(table) }} as parents on meant.reference_id = parents.{{ key }}
where meant.table_name = '{{ table }}'
    and parents.{{ key }} is null
{%- endfor %}

union all
select meant.*
from meant
where meant.table_name not in (
        '{{ keys | join("', '") }}'
    )
