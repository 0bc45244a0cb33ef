{{ config(materialized='view') }}

with

product_platforms as (

    select * from {{ ref('int_product_platforms') }}

),

trends as (

    select
        product_id,
        tags
    from {{ ref('product_trends') }}
    where is_latest

),

scored as (

    select * from {{ ref('hashtag_trends') }}
    where trend_score is not null

),

{# A brief does not name what it warns of. #}
hurting as (

    select
        product_id,
        tag
    from {{ ref('int_brief_effects') }}
    where list = 'hurts'
        and kind = 'hashtag'
        and place <= 4

),

newest_days as (

    select
        platform,
        max(day) as day
    from scored
    group by platform

),

rising as (

    select
        scored.*,
        row_number() over (
            partition by scored.platform
            order by {{ significant('scored.trend_score') }} desc, scored.hashtag
        ) as choice
    from scored
    inner join newest_days
        on scored.platform = newest_days.platform
        and scored.day = newest_days.day
    where scored.trend_score >= {{ var('brief_trend_score') }}

),

for_products as (

    select
        product_platforms.product_id,
        rising.platform,
        rising.hashtag,
        rising.videos,
        rising.trend_score,
        rising.is_breakout,
        coalesce({{ in_array('rising.hashtag', 'trends.tags') }}, false) as fits
    from product_platforms
    inner join rising on product_platforms.platform = rising.platform
    left join trends on product_platforms.product_id = trends.product_id
    left join hurting
        on product_platforms.product_id = hurting.product_id
        and rising.hashtag = hurting.tag
    where rising.choice <= 20
        and hurting.tag is null

),

{# Those the product's own trend names come first. #}
placed as (

    select
        *,
        row_number() over (
            partition by product_id
            order by fits desc, {{ significant('trend_score') }} desc, platform, hashtag
        ) as place
    from for_products

),

phrased as (

    select
        product_id,
        place,
        '#'
        || {{ shortened('hashtag', 40) }}
        || ' on '
        || {{ shortened('platform', 30) }}
        || ' ('
        || case when fits then 'goes with this product; ' else '' end
        || {{ counted('videos', 'trending video') }}
        || ' on the newest day, score '
        || cast({{ whole('trend_score') }} as {{ type_text() }})
        || ' of 100'
        || case when is_breakout then ', breaking out' else '' end
        || ')' as sentence
    from placed
    where place <= 5

),

final as (

    select
        product_id,
        'rising' as list,
        place,
        {{ quoted_json('sentence') }} as item,
        cast(null as {{ type_text() }}) as words
    from phrased

)

select * from final
