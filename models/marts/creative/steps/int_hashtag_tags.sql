{{ config(materialized='view') }}

{# Posts share lists of hashtags: each list is cleaned once. #}
with

lists as (

    select distinct hashtags
    from {{ ref('accepted_published_posts') }}
    where hashtags is not null

),

listed as (

    select
        hashtags,
        {{ array_elements('hashtags') }} as item
    from lists

),

named as (

    select
        hashtags,
        {{ without_leading('item', '#') }} as tag
    from listed

),

cleaned as (

    select
        hashtags,
        {{ ascii_lower(trimmed('tag')) }} as tag
    from named

),

final as (

    select distinct
        hashtags,
        tag
    from cleaned
    where length(tag) between 1 and {{ var('max_tag_length') }}

)

select * from final
