{{ config(materialized='view') }}

with

products as (

    select product_id from {{ ref('accepted_products') }}

),

effects as (

    select * from {{ ref('int_telling_effects') }}
    where place <= 5

),

phrased as (

    select
        list,
        place,
        spoken,
        {{ change_text('shrunk_lift') }} as views,
        posts_with,
        cast(
            greatest({{ whole('q_value * 1000') }}, 1) * 0.001 as decimal(18, 3)
        ) as q,
        case when q_value <= 0.05 then 'clear' else 'likely' end as confidence
    from effects

),

final as (

    select
        products.product_id,
        phrased.list,
        phrased.place,
        {{ document_text({
            'what': quoted_json('phrased.spoken'),
            'views': quoted_json('phrased.views'),
            'posts': 'cast(phrased.posts_with as text)',
            'q': 'cast(phrased.q as text)',
            'confidence': quoted_json('phrased.confidence'),
        }) }} as item,
        phrased.spoken as words
    from products
    cross join phrased

)

select * from final
