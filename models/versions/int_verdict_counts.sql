{{ config(materialized='view') }}

{# How many rows of a table and source came to each verdict. #}
{%- set tables = canonical_keys() %}

with

final as (
    {% for table in tables %}
    select
        '{{ table }}' as table_name,
        _source as source,
        count(*) filter (where _verdict = 'accepted') as accepted,
        count(*) filter (where _verdict = 'duplicate') as duplicate,
        count(*) filter (where _verdict = 'superseded') as superseded,
        count(*) filter (where _verdict = 'quarantined') as quarantined,
        min(_known_at) filter (where _verdict = 'quarantined') as oldest_quarantined
    from {{ ref('int_' ~ table) }}
    group by _source
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
