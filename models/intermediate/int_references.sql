{{ config(materialized='view') }}

{# What an embedding can refer to: every name of a row (`source_key` set) with the key it
   leads to, and every accepted key (`source_key` null) with the time it became valid. #}
{%- set plain = {
    'products': 'product_id',
    'scripts': 'script_id',
    'creative_patterns': 'pattern_id',
    'agent_notes': 'note_id',
    'experiments': 'experiment_id',
    'video_assets': 'asset_id',
    'trend_snapshots': 'snapshot_id',
} -%}
{%- set natural = {'published_posts': 'post_id', 'raw_videos': 'id'} -%}

with

{% for table, key in natural.items() -%}
{{ table }}_names as (

    select
        directory.reference_id as source_key,
        directory.{{ key }} as reference_id,
        changed.changed_build
    from {{ ref('int_' ~ table ~ '_keys') }} as directory
    inner join (
        select {{ key }}, max(_changed_build) as changed_build
        from {{ ref('int_' ~ table) }}
        group by {{ key }}
    ) as changed
        on directory.{{ key }} = changed.{{ key }}
    where directory.reference_id is not null

),

{% endfor -%}
final as (
    {% for table, key in natural.items() %}
    select
        '{{ table }}' as table_name,
        source_key,
        reference_id,
        cast(null as {{ type_timestamptz() }}) as valid_from,
        changed_build
    from {{ table }}_names
    union all
    {%- endfor %}
    {%- for table, key in plain.items() %}
    select
        '{{ table }}' as table_name,
        {{ key }} as source_key,
        {{ key }} as reference_id,
        cast(null as {{ type_timestamptz() }}) as valid_from,
        _changed_build as changed_build
    from {{ ref('int_' ~ table) }}
    where _is_latest
    union all
    {%- endfor %}
    {%- for table, key in dict(plain, **natural).items() %}
    select
        '{{ table }}' as table_name,
        cast(null as {{ type_uuid() }}) as source_key,
        {{ key }} as reference_id,
        _valid_from as valid_from,
        _changed_build as changed_build
    from {{ ref('int_' ~ table) }}
    where _verdict = 'accepted'
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
