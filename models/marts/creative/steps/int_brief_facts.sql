{{ config(materialized='view') }}

with

products as (

    select * from {{ ref('accepted_products') }}

),

scripts as (

    select
        product_id,
        known_at
    from {{ ref('accepted_scripts') }}

),

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

performance as (

    select known_at from {{ ref('creative_pattern_performance') }}

),

effects as (

    select known_at from {{ ref('creative_tag_effects') }}

),

gaps as (

    select
        product_id,
        known_at
    from {{ ref('experiment_gaps') }}

),

posting_times as (

    select known_at from {{ ref('posting_times') }}

),

trends as (

    select * from {{ ref('product_trends') }}
    where is_latest

),

hashtags as (

    select known_at from {{ ref('hashtag_trends') }}

),

totals as (

    select
        product_id,
        count(*) as posts,
        count(log_lift_72h) as compared_posts,
        max(published_at) as newest_post_at,
        max(case when views_72h is not null then known_at end) as newest_result_at
    from outcomes
    where product_id is not null
    group by product_id

),

script_times as (

    select
        product_id,
        max(known_at) as known_at
    from scripts
    group by product_id

),

{# Everything is compared with everything: the newest of it all is what a brief rests on. #}
evidence_times as (

    select max(known_at) as known_at
    from (
        select known_at from outcomes
        union all
        select known_at from performance
        union all
        select known_at from effects
        union all
        select known_at from hashtags
        union all
        select known_at from posting_times
    ) as evidence

),

gap_times as (

    select
        product_id,
        max(known_at) as known_at
    from gaps
    group by product_id

),

known as (

    select
        products.product_id,
        greatest(
            products.known_at,
            script_times.known_at,
            evidence_times.known_at,
            trends.known_at,
            gap_times.known_at
        ) as known_at
    from products
    cross join evidence_times
    left join trends on products.product_id = trends.product_id
    left join script_times on products.product_id = script_times.product_id
    left join gap_times on products.product_id = gap_times.product_id

),

product_words as (

    select
        product_id,
        case when _source = 'demo' then 'This is made-up demo data.' end as simulated,
        {{ shortened('name', 80) }} as name,
        {{ shortened('name', 60) }} as short_name,
        {{ shortened('category', 60) }} as category,
        {{ shortened("nullif(source_platform, '" ~ adopted_mark() ~ "')", 30) }} as sold_on,
        {{ shortened(json_text('meta', 'brand'), 60) }} as brand,
        {{ shortened(json_text('meta', 'price_usd'), 20) }} as price_usd,
        {{ shortened(json_list_text('meta', 'target_audience'), 120) }} as audience,
        {{ shortened(json_list_text('meta', 'key_features'), 200) }} as features,
        {{ shortened('description', 280) }} as description
    from products

),

trend_words as (

    select
        product_id,
        direction,
        {{ three_digits('greatest(popularity, 0)') }} as popularity,
        {{ change_text('weekly_change') }} as weekly_change,
        {{ whole('opportunity * 100') }} as opportunity_of_100,
        {{ shortened(array_words('tags', ', '), 120) }} as tags,
        {{ shortened(array_words('new_tags', ', '), 80) }} as new_tags,
        {{ minute_text('snapshot_time') }} as as_of,
        case when is_stale then 'This snapshot is old; the trend may have moved on.' end as note
    from trends

),

trend_texts as (

    select
        product_id,
        direction,
        {{ document_text({
            'direction': quoted_json('direction'),
            'popularity': as_text('popularity'),
            'change_in_a_week': quoted_json('weekly_change'),
            'opportunity_of_100': as_text('opportunity_of_100'),
            'tags': quoted_json('tags'),
            'new_tags': quoted_json('new_tags'),
            'as_of': quoted_json('as_of'),
            'note': quoted_json('note'),
        }) }} as trend
    from trend_words

),

final as (

    select
        words.product_id,
        words.simulated,
        words.short_name,
        {{ document_text({
            'product_id': quoted_json(as_text('words.product_id')),
            'name': quoted_json('words.name'),
            'category': quoted_json('words.category'),
            'sold_on': quoted_json('words.sold_on'),
            'brand': quoted_json('words.brand'),
            'price_usd': quoted_json('words.price_usd'),
            'audience': quoted_json('words.audience'),
            'features': quoted_json('words.features'),
            'description': quoted_json('words.description'),
        }) }} as product,
        {{ document_text({
            'product_id': quoted_json(as_text('words.product_id')),
            'name': quoted_json('words.name'),
            'category': quoted_json('words.category'),
        }) }} as short_product,
        trend_texts.direction,
        trend_texts.trend,
        coalesce(totals.posts, 0) as posts,
        coalesce(totals.compared_posts, 0) as compared_posts,
        {{ document_text({
            'rests_on_posts': as_text('coalesce(totals.compared_posts, 0)'),
            'newest_post': quoted_json(minute_text('totals.newest_post_at')),
            'newest_result': quoted_json(minute_text('totals.newest_result_at')),
            'known_at': quoted_json(minute_text('known.known_at')),
        }) }} as freshness,
        known.known_at
    from product_words as words
    inner join known on words.product_id = known.product_id
    left join trend_texts on words.product_id = trend_texts.product_id
    left join totals on words.product_id = totals.product_id

)

select * from final
