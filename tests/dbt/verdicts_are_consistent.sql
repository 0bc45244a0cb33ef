{# What must hold in every int table whatever was landed: a key has at most one accepted
   row and one latest version, and a row says why it is not valid exactly when it is not.
   Keys are decided from all their rows: those of keys that a build decided are looked at. #}
{%- set keys = canonical_keys() %}

with

{% for table, key in keys.items() -%}
{{ table }} as (

    select
        '{{ table }}' as table_name,
        {{ key }} as key,
        case
            when count(*) filter (where _verdict = 'accepted') > 1 then 'two accepted rows'
            when count(*) filter (where _is_latest) <> 1 then 'not one latest version'
            when
                count(*) filter (where _verdict = 'superseded') > 0
                and count(*) filter (where _verdict = 'accepted') = 0
            then 'superseded by nothing'
            when bool_or(_verdict not in ('accepted', 'duplicate', 'superseded', 'quarantined'))
            then 'unknown verdict'
            when bool_or(_verdict = 'accepted' and {{ array_size('_reasons') }} > 0)
            then 'accepted with a reason against it'
            when bool_or(_verdict = 'quarantined' and {{ array_size('_reasons') }} = 0)
            then 'held back without a reason'
            when
                bool_or(
                    _verdict = 'accepted'
                    and (_effective_at is null or _effective_at < _valid_from)
                )
            then 'effective before it was valid'
        end as fault
    from ({{ looked_at(ref('int_' ~ table), key, [ref('int_' ~ table)]) }}) as versions
    group by {{ key }}

),

{% endfor -%}
found as (
    {% for table in keys %}
    select *
    from {{ table }}
    where fault is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from found
