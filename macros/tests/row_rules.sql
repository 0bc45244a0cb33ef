{# All rules of a model in one test: hundreds of small ones cost more than the data.
   `required` columns must not be null; each rule is an SQL condition that must not be
   false; the columns of `unique_key` together name at most one row. A failing row is
   returned with its key and the names of the rules it breaks. Of a big table only the rows
   of what changed are looked at, see looked_at.sql: `rows_of` and `changed_in`. #}
{% test row_rules(
    model, key, required=[], rules={}, unique_key=[], rows_of=none, changed_in=[]
) %}
{%- set broken = [] -%}
{%- for column in required -%}
    {%- do broken.append("case when " ~ column ~ " is null then '" ~ column ~ "_missing' end") -%}
{%- endfor -%}
{%- for name, condition in rules.items() -%}
    {%- do broken.append("case when not (" ~ condition ~ ") then '" ~ name ~ "' end") -%}
{%- endfor %}

with

looked_at as {{ computed_once() if changed_in and not flags.FULL_REFRESH else inlined() }} (

    {{ looked_at(model, rows_of, changed_in) }}

),

suspects as (

    select *
    from looked_at
    where
        {%- for column in required %}
        {{ 'or ' if not loop.first }}{{ column }} is null
        {%- endfor %}
        {%- for condition in rules.values() %}
        {{ 'or ' if required or not loop.first }}not ({{ condition }})
        {%- endfor %}

)

select
    {{ as_text(key) }} as {{ key }},
    {{ array_compact(broken) }} as broken_rules
from suspects
{%- if unique_key %}
union all
select
    min(cast({{ key }} as {{ type_text() }})) as {{ key }},
    {{ array_compact(["'" ~ unique_key | join('_') ~ "_repeated'"]) }} as broken_rules
from looked_at
group by {{ unique_key | join(', ') }}
having count(*) > 1
{%- endif %}
{% endtest %}
