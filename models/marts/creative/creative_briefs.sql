{%- set longest = 480 %}

with

facts as (

    select * from {{ ref('int_brief_facts') }}

),

items as (

    select * from {{ ref('int_brief_items') }}

),

{# How many items of each list the sizes of a document have. #}
sizes as (

    select
        counts.size,
        counts.list,
        counts.length
    from (
        values
        (1, 'usual', 4),
        (1, 'works', 3),
        (1, 'helps', 5),
        (1, 'hurts', 4),
        (1, 'best', 3),
        (1, 'seen', 3),
        (1, 'times', 4),
        (1, 'rising', 5),
        (1, 'avoid', 6),
        (1, 'try', 3),
        (2, 'usual', 3),
        (2, 'works', 2),
        (2, 'helps', 4),
        (2, 'hurts', 3),
        (2, 'best', 2),
        (2, 'seen', 2),
        (2, 'times', 4),
        (2, 'rising', 3),
        (2, 'avoid', 4),
        (2, 'try', 2),
        (3, 'usual', 3),
        (3, 'works', 2),
        (3, 'helps', 2),
        (3, 'hurts', 2),
        (3, 'best', 1),
        (3, 'seen', 1),
        (3, 'times', 2),
        (3, 'rising', 2),
        (3, 'avoid', 2),
        (3, 'try', 1),
        (4, 'usual', 1),
        (4, 'works', 1),
        (4, 'helps', 1),
        (4, 'hurts', 1),
        (4, 'times', 1),
        (4, 'rising', 1)
    ) as counts (size, list, length)

),

kinds as (

    select distinct
        size,
        'Views are compared after 3 days with what is usual for the product and platform.'
        || ' Where a range spans 0, there may be no difference; what is uncertain may be chance.'
        || ' What helps and hurts goes along with more or fewer views, of all products apart from'
        || ' the tags that are used with it; nobody drew lots.' as how_to_read
    from sizes

),

lists as (

    select
        items.product_id,
        sizes.size,
        {{ array_text('items.item', 'items.place', "items.list = 'usual'") }} as usual_list,
        {{ array_text('items.item', 'items.place', "items.list = 'works'") }} as works_list,
        {{ array_text('items.item', 'items.place', "items.list = 'helps'") }} as helps_list,
        {{ array_text('items.item', 'items.place', "items.list = 'hurts'") }} as hurts_list,
        {{ array_text('items.item', 'items.place', "items.list = 'best'") }} as best_list,
        {{ array_text('items.item', 'items.place', "items.list = 'seen'") }} as seen_list,
        {{ array_text('items.item', 'items.place', "items.list = 'times'") }} as times_list,
        {{ array_text('items.item', 'items.place', "items.list = 'rising'") }} as rising_list,
        {{ array_text('items.item', 'items.place', "items.list = 'avoid'") }} as avoid_list,
        {{ array_text('items.item', 'items.place', "items.list = 'try'") }} as try_list
    from items
    inner join sizes
        on items.list = sizes.list
        and items.place <= sizes.length
    group by items.product_id, sizes.size

),

mentioned as (

    select
        product_id,
        max(words) filter (where list = 'works' and place = 1) as best_bet,
        {{ joined_text('words', ', ', 'place', "list = 'helps' and place <= 2") }} as helping,
        {{ joined_text('words', ', ', 'place', "list = 'hurts' and place <= 3") }} as hurting,
        count(*) filter (where list = 'seen') > 0 as shows_most_viewed
    from items
    group by product_id

),

sentences as (

    select
        facts.product_id,
        facts.short_name
        || case
            when facts.posts = 0 then ' has no post yet: begin with what works elsewhere.'
            when facts.compared_posts = 0 then
                ' has ' || {{ counted('facts.posts', 'post') }}
                || ', none with known views after 3 days: too young, or polled too rarely to tell.'
            when facts.compared_posts = facts.posts then
                ' has ' || {{ counted('facts.posts', 'post') }} || ', all old enough to judge.'
            else ' has '
                || {{ counted('facts.posts', 'post') }}
                || ', '
                || cast(facts.compared_posts as {{ type_text() }})
                || ' of them with known views after 3 days to judge by.'
        end
        || case
            when mentioned.shows_most_viewed then
                ' Its most viewed posts are shown; older ones had more time for it.'
            else ''
        end
        || coalesce(' Best bet: ' || mentioned.best_bet || '.', '') as beginning,
        coalesce(' More views go along with ' || mentioned.helping || '.', '') as helping,
        coalesce(' Fewer go along with ' || mentioned.hurting || '.', '') as hurting,
        case facts.direction
            when 'up' then ' Interest in the product is rising.'
            when 'down' then ' Interest in the product is falling.'
            else ''
        end as interest
    from facts
    left join mentioned on facts.product_id = mentioned.product_id

),

{# What the lists tell as well is left out where it would not fit: no sentence ends in its middle. #}
fitting as (

    select
        product_id,
        beginning,
        interest,
        case
            when length(beginning || helping || interest) <= {{ longest }} then helping
            else ''
        end as helping,
        case
            when length(beginning || helping || hurting || interest) <= {{ longest }} then hurting
            else ''
        end as hurting
    from sentences

),

summaries as {{ computed_once() }} (

    select
        facts.*,
        fitting.beginning || fitting.helping || fitting.hurting || fitting.interest as summary
    from facts
    inner join fitting on facts.product_id = fitting.product_id

),

{# Size 4 has of the product its name alone, and neither trend nor advice how to read it. #}
documents as {{ computed_once() }} (

    select
        summaries.product_id,
        summaries.known_at,
        kinds.size,
        {{ document_text({
            'simulated': quoted_json('summaries.simulated'),
            'summary': quoted_json(shortened('summaries.summary', longest)),
            'product': 'case when kinds.size < 4 then summaries.product else summaries.short_product end',
            'usual': 'lists.usual_list',
            'patterns_that_work': 'lists.works_list',
            'what_helps': 'lists.helps_list',
            'what_hurts': 'lists.hurts_list',
            'trend': 'case when kinds.size < 4 then summaries.trend end',
            'rising_hashtags': 'lists.rising_list',
            'best_posts': 'lists.best_list',
            'most_viewed_so_far': 'lists.seen_list',
            'times_to_post': 'lists.times_list',
            'avoid': 'lists.avoid_list',
            'try_next': 'lists.try_list',
            'how_to_read': 'case when kinds.size < 4 then ' ~ quoted_json('kinds.how_to_read') ~ ' end',
            'freshness': 'summaries.freshness',
        }) }} as document
    from summaries
    cross join kinds
    left join lists
        on summaries.product_id = lists.product_id
        and kinds.size = lists.size

),

{# The longest document that stays within bounds: texts in other scripts take up to four
   bytes a character. #}
ranked as (

    select
        product_id,
        document,
        known_at,
        row_number() over (partition by product_id order by size) as choice
    from documents
    where {{ byte_length('document') }} <= {{ var('brief_bytes') }}
        or size = 4

),

final as (

    select
        product_id,
        cast(document as {{ type_json() }}) as brief,
        {{ byte_length('document') }} as brief_bytes,
        known_at
    from ranked
    where choice = 1

)

select * from final
