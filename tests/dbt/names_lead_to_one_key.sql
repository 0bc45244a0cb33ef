{# Views that others join by: a name standing twice would multiply rows. #}
{%- set grains = {
    'int_video_asset_products': ['script_id', 'asset_id'],
    'int_post_lineage': ['post_id'],
} %}

{%- for model, columns in grains.items() %}
{% if not loop.first %}union all{% endif %}
select
    '{{ model }}' as model_name,
    count(*) as row_count
from {{ ref(model) }}
group by {{ columns | join(', ') }}
having count(*) > 1
{%- endfor %}
