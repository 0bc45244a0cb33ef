{{ config(materialized='view') }}

with

platforms as (

    select * from {{ ref('int_product_platforms') }}
    where posts > 0

),

phrased as (

    select
        product_id,
        row_number() over (
            partition by product_id order by platforms.posts desc, platforms.platform asc
        ) as place,
        {{ shortened('platforms.platform', 30) }} as platform_name,
        posts,
        {{ three_digits('views_72h') }} as usual_views,
        {{ percent_text('engagement_rate') }} as percent_who_engage
    from platforms

),

final as (

    select
        product_id,
        'usual' as list,
        place,
        {{ document_text({
            'platform': quoted_json('platform_name'),
            'posts': as_text('posts'),
            'usual_views_after_3_days': as_text('usual_views'),
            'percent_who_engage': 'percent_who_engage',
        }) }} as item,
        cast(null as {{ type_text() }}) as words
    from phrased

)

select * from final
