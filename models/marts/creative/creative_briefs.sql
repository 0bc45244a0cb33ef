{# How many items of a list each size of a document has. #}
{%- set sizes = {
    'full': {'usual': 4, 'works': 3, 'helps': 5, 'hurts': 4, 'best': 3, 'seen': 3, 'times': 4, 'rising': 5, 'avoid': 6, 'try': 3},
    'short': {'usual': 3, 'works': 2, 'helps': 2, 'hurts': 2, 'best': 1, 'seen': 1, 'times': 2, 'rising': 2, 'avoid': 2, 'try': 1},
    'least': {'usual': 1, 'works': 1, 'helps': 1, 'hurts': 1, 'times': 1, 'rising': 1},
} -%}

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

items as (

    select * from {{ ref('int_brief_items') }}

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

lists as {{ computed_once() }} (

    select
        product_id,
        {%- for size, most in sizes.items() %}
        {%- for list, length in most.items() %}
        '['
        || string_agg(item, ',' order by place) filter (
            where list = '{{ list }}' and place <= {{ length }}
        )
        || ']' as {{ size }}_{{ list }},
        {%- endfor %}
        {%- endfor %}
        max(words) filter (where list = 'works' and place = 1) as best_bet,
        string_agg(words, ', ' order by place) filter (where list = 'helps' and place <= 2)
            as helping,
        string_agg(words, ', ' order by place) filter (where list = 'hurts' and place <= 3)
            as hurting
    from items
    group by product_id

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

facts as (

    select
        products.product_id,
        products._source = 'demo' as is_simulated,
        {{ shortened('products.name', 80) }} as name,
        {{ shortened('products.category', 60) }} as category,
        {{ document_text({
            'product_id': quoted_json('cast(products.product_id as text)'),
            'name': quoted_json(shortened('products.name', 80)),
            'category': quoted_json(shortened('products.category', 60)),
            'sold_on': quoted_json(shortened("nullif(products.source_platform, '" ~ adopted_mark() ~ "')", 30)),
            'brand': quoted_json(shortened(json_text('products.meta', 'brand'), 60)),
            'price_usd': quoted_json(shortened(json_text('products.meta', 'price_usd'), 20)),
            'audience': quoted_json(shortened(json_list_text('products.meta', 'target_audience'), 120)),
            'features': quoted_json(shortened(json_list_text('products.meta', 'key_features'), 200)),
            'description': quoted_json(shortened('products.description', 280)),
        }) }} as product_text,
        {{ document_text({
            'direction': quoted_json('trends.direction'),
            'popularity': 'cast(' ~ three_digits('greatest(trends.popularity, 0)') ~ ' as text)',
            'change_in_a_week': quoted_json(change_text('trends.weekly_change')),
            'opportunity_of_100': 'cast(' ~ whole('trends.opportunity * 100') ~ ' as text)',
            'tags': quoted_json(shortened("array_to_string(trends.tags, ', ')", 120)),
            'new_tags': quoted_json(shortened("array_to_string(trends.new_tags, ', ')", 80)),
            'as_of': quoted_json("substr(" ~ iso_text('trends.snapshot_time') ~ ", 1, 16) || 'Z'"),
            'note': "case when trends.is_stale then " ~ quoted_json("'This snapshot is old; the trend may have moved on.'") ~ " end",
        }) }} as trend_text,
        trends.product_id is not null as has_trend,
        trends.direction,
        coalesce(totals.posts, 0) as posts,
        coalesce(totals.compared_posts, 0) as compared_posts,
        {{ document_text({
            'rests_on_posts': 'cast(coalesce(totals.compared_posts, 0) as text)',
            'newest_post': quoted_json("substr(" ~ iso_text('totals.newest_post_at') ~ ", 1, 16) || 'Z'"),
            'newest_result': quoted_json("substr(" ~ iso_text('totals.newest_result_at') ~ ", 1, 16) || 'Z'"),
            'known_at': quoted_json("substr(" ~ iso_text('known.known_at') ~ ", 1, 16) || 'Z'"),
        }) }} as freshness_text,
        known.known_at
    from products
    inner join known on products.product_id = known.product_id
    left join trends on products.product_id = trends.product_id
    left join totals on products.product_id = totals.product_id

),

summaries as {{ computed_once() }} (

    select
        facts.*,
        {%- for size, most in sizes.items() %}
        {%- for list in most %}
        lists.{{ size }}_{{ list }},
        {%- endfor %}
        {%- endfor %}
        {{ shortened('facts.name', 60) }}
        || case
            when facts.posts = 0 then ' has no post yet: begin with what works elsewhere.'
            when facts.compared_posts = 0 then
                ' has ' || {{ counted('facts.posts', 'post') }}
                || ', none with known views after 3 days: too young, or polled too rarely to tell.'
            when facts.compared_posts = facts.posts then
                ' has ' || {{ counted('facts.posts', 'post') }} || ', old enough to judge.'
            else ' has '
                || {{ counted('facts.posts', 'post') }}
                || ', '
                || cast(facts.compared_posts as text)
                || ' of them with known views after 3 days to judge by.'
        end
        || case
            when lists.full_seen is null then ''
            else ' Its most viewed posts are shown; older ones had more time for it.'
        end
        || coalesce(' Best bet: ' || lists.best_bet || '.', '')
        || coalesce(' More views go along with ' || lists.helping || '.', '')
        || coalesce(' Fewer go along with ' || lists.hurting || '.', '')
        || case facts.direction
            when 'up' then ' Interest in the product is rising.'
            when 'down' then ' Interest in the product is falling.'
            else ''
        end as summary
    from facts
    left join lists on facts.product_id = lists.product_id

),

{%- set simulated = "case when is_simulated then "
    ~ quoted_json("'This is made-up demo data.'") ~ " end" %}

documents as (

    select
        product_id,
        {%- for size in ['full', 'short'] %}
        {{ document_text({
            'simulated': simulated,
            'summary': quoted_json(shortened('summary', 480)),
            'product': 'product_text',
            'usual': size ~ '_usual',
            'patterns_that_work': size ~ '_works',
            'what_helps': size ~ '_helps',
            'what_hurts': size ~ '_hurts',
            'trend': 'case when has_trend then trend_text end',
            'rising_hashtags': size ~ '_rising',
            'best_posts': size ~ '_best',
            'most_viewed_so_far': size ~ '_seen',
            'times_to_post': size ~ '_times',
            'avoid': size ~ '_avoid',
            'try_next': size ~ '_try',
            'how_to_read': quoted_json("'Views are compared after 3 days with what is usual for the product and platform. Where a range spans 0, there may be no difference. What helps and hurts goes along with more or fewer views; nobody drew lots.'"),
            'freshness': 'freshness_text',
        }) }} as {{ size }}_document,
        {%- endfor %}
        {{ document_text({
            'simulated': simulated,
            'summary': quoted_json(shortened('summary', 480)),
            'product': document_text({
                'product_id': quoted_json('cast(product_id as text)'),
                'name': quoted_json('name'),
                'category': quoted_json('category'),
            }),
            'usual': 'least_usual',
            'patterns_that_work': 'least_works',
            'what_helps': 'least_helps',
            'what_hurts': 'least_hurts',
            'rising_hashtags': 'least_rising',
            'times_to_post': 'least_times',
            'freshness': 'freshness_text',
        }) }} as least_document,
        known_at
    from summaries

),

{# The longest document that stays within bounds: texts in other scripts take up to four
   bytes a character. #}
chosen as (

    select
        product_id,
        case
            when {{ byte_length('full_document') }} <= {{ var('brief_bytes') }} then full_document
            when {{ byte_length('short_document') }} <= {{ var('brief_bytes') }} then short_document
            else least_document
        end as document,
        known_at
    from documents

),

final as (

    select
        product_id,
        cast(document as {{ type_json() }}) as brief,
        {{ byte_length('document') }} as brief_bytes,
        known_at
    from chosen

)

select * from final
