{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='script_id',
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{# Fields of creative_variables that name other rows or hold the words themselves. #}
{%- set not_choices = ['hook', 'title', 'cta', 'outline', 'creativepatternid', 'trendreference'] -%}

with

{# Nothing but a newer version changes what a script says. #}
scripts as (

    select
        script_id,
        creative_variables,
        known_at
    from {{ ref('accepted_scripts') }}
    {%- if is_incremental() %}
    where _build > {{ consumed_build() }}
    {%- endif %}

),

fields as {{ computed_once() }} (

    select *
    from ({{ json_fields('scripts', 'script_id', 'creative_variables') }}) as listed
    where field_type in ('text', 'number', 'boolean')

),

{# Scripts choose from few names and values: each is looked at once. #}
names as (

    select distinct field from fields

),

chosen as {{ computed_once() }} (

    select
        fields.script_id,
        fields.field,
        fields.field_type,
        fields.field_value
    from fields
    inner join names on fields.field = names.field
    where {{ ascii_lower('names.field') }} not in (
            {%- for name in not_choices %}
            '{{ name }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )

),

choices as (

    select distinct
        field,
        field_type,
        field_value
    from chosen

),

{# Both engines write a number alike when it has no exponent. #}
plain_choices as (

    select
        field,
        field_type,
        field_value,
        {{ ascii_lower(trimmed("field || '=' || " ~ trimmed('field_value'))) }} as tag
    from choices
    where {{ trimmed('field_value') }} <> ''
        and length(field) + length({{ trimmed('field_value') }}) < {{ var('max_tag_length') }}
        and case
            when field_type = 'number'
            then {{ number_in('field_value') }} = 0
                or abs({{ number_in('field_value') }}) between 0.0001 and 1e15
            else true
        end

),

found as (

    select
        chosen.script_id,
        {{ distinct_sorted_array('plain_choices.tag') }} as tags
    from chosen
    inner join plain_choices
        on chosen.field = plain_choices.field
        and chosen.field_type = plain_choices.field_type
        and chosen.field_value = plain_choices.field_value
    group by chosen.script_id

),

{# A script that chooses nothing has a row as well: it may have chosen before. #}
final as (

    select
        scripts.script_id,
        coalesce(found.tags, {{ empty_array() }}) as tags,
        scripts.known_at
    from scripts
    left join found on scripts.script_id = found.script_id

)

select * from final
