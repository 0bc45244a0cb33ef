{# What is held back in every int model, in one shape; readers know it as quarantine.rows. #}
{{ config(alias='rows') }}
{%- set keys = canonical_keys() -%}

with

{% for table, key in keys.items() -%}
{{ table }} as (

    select
        '{{ table }}' as table_name,
        _source as source,
        _load_id as load_id,
        _position as position,
        {{ key }} as key,
        _reasons as reasons,
        _fields as fields,
        _missing_reference as missing_reference,
        {{ payload_of(ref('int_' ~ table)) }} as payload,
        _known_at as since
    from {{ ref('int_' ~ table) }}
    where _verdict = 'quarantined'

),

{% endfor -%}
held_back as (
    {% for table in keys %}
    select * from {{ table }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from held_back
