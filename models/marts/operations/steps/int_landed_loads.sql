{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['resource', 'load_id'],
    on_schema_change='fail',
) }}

{%- set staging = staging_models() %}

with

{% if is_incremental() -%}
{# Landed rows never change: a load is counted again until all of it is known by as-of. #}
counting as (

    select
        pinned.resource,
        pinned.load_id
    from {{ meta('loads') }} as pinned
    left join {{ this }} as counted
        on pinned.resource = counted.resource
        and pinned.load_id = counted.load_id
    where counted.load_id is null
        or counted.not_yet_known > 0

),

{% endif -%}
final as (
    {% for table, models in staging.items() %}
    {%- set last_table = loop.last -%}
    {%- for model in models %}
    select
        '{{ table }}' as resource,
        _load_id as load_id,
        min(_source) as source,
        count(*) filter (where _known_at <= {{ as_of() }}) as landed,
        count(*) filter (where _known_at > {{ as_of() }}) as not_yet_known,
        max(_known_at) filter (where _known_at <= {{ as_of() }}) as last_known_at
    from {{ ref(model) }}
    {%- if is_incremental() %}
    where _load_id in (
            select counting.load_id from counting
            where counting.resource = '{{ table }}'
        )
    {%- endif %}
    group by _load_id
    {% if not (last_table and loop.last) %}union all{% endif %}
    {%- endfor %}
    {%- endfor %}

)

select * from final
