{{ config(materialized='table') }}

{# Fields of creative_variables that name other rows or hold the words themselves. #}
{%- set not_choices = ['hook', 'title', 'cta', 'outline', 'creativepatternid', 'trendreference'] -%}

with

posts as (

    select
        post_id,
        pattern_id,
        script_id
    from {{ ref('int_post_outcomes') }}

),

published as (

    select
        post_id,
        hashtags,
        known_at
    from {{ ref('accepted_published_posts') }}
    where hashtags is not null

),

patterns as (

    select
        pattern_id,
        style_tags,
        emotion_tags,
        structure,
        known_at
    from {{ ref('accepted_creative_patterns') }}

),

scripts as (

    select
        script_id,
        creative_variables,
        known_at
    from {{ ref('accepted_scripts') }}
    where creative_variables is not null

),

pattern_tags as (

    select
        pattern_id,
        'style' as kind,
        {{ array_elements('style_tags') }} as tag,
        known_at
    from patterns
    union all
    select
        pattern_id,
        'emotion',
        {{ array_elements('emotion_tags') }},
        known_at
    from patterns
    union all
    select
        pattern_id,
        'structure',
        structure,
        known_at
    from patterns

),

script_fields as (

    select
        scripts.script_id,
        fields.field,
        fields.field_type,
        fields.field_value,
        {# Whether the two engines write a number alike: not with an exponent. #}
        case
            when fields.field_type <> 'number' then true
            else cast(fields.field_value as {{ type_double() }}) = 0
                or abs(cast(fields.field_value as {{ type_double() }})) between 0.0001 and 1e15
        end as is_plain,
        scripts.known_at
    from scripts
    cross join lateral {{ json_fields('scripts.creative_variables') }} as fields
    where fields.field_type in ('text', 'number', 'boolean')

),

script_tags as (

    select
        script_id,
        'variable' as kind,
        field || '=' || {{ trimmed('field_value') }} as tag,
        known_at
    from script_fields
    where is_plain
        and {{ ascii_lower('field') }} not in (
            {%- for name in not_choices %}
            '{{ name }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
        and {{ trimmed('field_value') }} <> ''
        and length(field) + length({{ trimmed('field_value') }}) < {{ var('max_tag_length') }}

),

post_tags as (

    select
        post_id,
        'hashtag' as kind,
        ltrim({{ array_elements('hashtags') }}, '#') as tag,
        known_at
    from published

),

{# Repeated tags are told apart before they are joined to posts: there are far fewer
   patterns and scripts than posts. #}
{% for name, key in {'pattern': 'pattern_id', 'script': 'script_id', 'post': 'post_id'}.items() -%}
{{ name }}_distinct as (

    select
        {{ key }},
        kind,
        tag,
        max(known_at) as known_at
    from (
        select
            {{ key }},
            kind,
            {{ ascii_lower(trimmed('tag')) }} as tag,
            known_at
        from {{ name }}_tags
        where tag is not null
    ) as cleaned
    where tag <> ''
        and length(tag) <= {{ var('max_tag_length') }}
    group by {{ key }}, kind, tag

),

{% endfor -%}
final as (

    select
        posts.post_id,
        pattern_distinct.kind,
        pattern_distinct.tag,
        pattern_distinct.known_at
    from posts
    inner join pattern_distinct on posts.pattern_id = pattern_distinct.pattern_id
    union all
    select
        posts.post_id,
        script_distinct.kind,
        script_distinct.tag,
        script_distinct.known_at
    from posts
    inner join script_distinct on posts.script_id = script_distinct.script_id
    union all
    select
        post_id,
        kind,
        tag,
        known_at
    from post_distinct

)

select * from final
