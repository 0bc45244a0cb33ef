{{ config(materialized='table') }}

with

scripts as (

    select
        script_id,
        product_id,
        {{ json_text('creative_variables', 'hook') }} as hook
    from {{ ref('accepted_scripts') }}

),

products as (

    select
        product_id,
        {{ ascii_lower('name') }} as name
    from {{ ref('accepted_products') }}

),

cleaned as (

    select
        script_id,
        product_id,
        {{ shortened('hook', 120) }} as hook
    from scripts
    where hook is not null

),

{# Patterns say "this" where a script names its product: as a pattern would say it. #}
final as (

    select
        cleaned.script_id,
        cleaned.product_id,
        cleaned.hook,
        {{ ascii_lower('cleaned.hook') }} as said,
        coalesce(
            replace({{ ascii_lower('cleaned.hook') }}, nullif(products.name, ''), 'this'),
            {{ ascii_lower('cleaned.hook') }}
        ) as said_of_anything
    from cleaned
    inner join products on cleaned.product_id = products.product_id
    where cleaned.hook is not null

)

select * from final
