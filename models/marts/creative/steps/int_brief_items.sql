{{ config(materialized='table') }}

{#- What a writer knows a post of `posts` by, with its script in `scripts`. #}
{%- set which_post = {
    'post_id': quoted_json('cast(posts.post_id as text)'),
    'platform': quoted_json(shortened('posts.platform', 30)),
    'published': quoted_json("substr(" ~ iso_text('posts.published_at') ~ ", 1, 10)"),
    'hook': quoted_json('scripts.hook'),
    'title': quoted_json('scripts.title'),
} -%}

with

products as (

    select * from {{ ref('accepted_products') }}

),

patterns as (

    select
        pattern_id,
        product_id,
        {{ shortened('hook_text', 120) }} as hook,
        {{ shortened('structure', 60) }} as structure,
        {{ shortened("replace(array_to_string(style_tags, ', '), '_', ' ')", 80) }} as look,
        {{ shortened("replace(array_to_string(emotion_tags, ', '), '_', ' ')", 80) }} as feel
    from {{ ref('accepted_creative_patterns') }}

),

{# Many patterns share a hook: a sentence names one by what it looks like too. #}
named_patterns as (

    select
        patterns.*,
        coalesce('"' || hook || '"', 'without a hook')
        || coalesce(
            ' (' || nullif(concat_ws('; ', replace(structure, '_', ' '), look), '') || ')', ''
        ) as named
    from patterns

),

scripts as (

    select
        script_id,
        product_id,
        {{ shortened(
            "coalesce(" ~ json_text('creative_variables', 'hook') ~ ", nullif(script_text, ''))", 120
        ) }} as hook,
        {{ ascii_lower(shortened(json_text('creative_variables', 'hook'), 120)) }} as plain_hook,
        {{ shortened(json_text('creative_variables', 'title'), 80) }} as title,
        known_at
    from {{ ref('accepted_scripts') }}

),

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

performance as (

    select * from {{ ref('creative_pattern_performance') }}

),

effects as (

    select * from {{ ref('creative_tag_effects') }}
    where platform = 'all'

),

post_tags as (

    select * from {{ ref('int_post_tags') }}

),

gaps as (

    select * from {{ ref('experiment_gaps') }}

),

posting_times as (

    select * from {{ ref('posting_times') }}

),

trends as (

    select
        product_id,
        tags
    from {{ ref('product_trends') }}
    where is_latest

),

hashtags as (

    select * from {{ ref('hashtag_trends') }}

),

newest_eras as (

    select
        platform,
        max(definition_era) as definition_era
    from outcomes
    group by platform

),

{# What the product usually gets, by platform, posts of today's definition of a view. #}
usual_values as (

    select
        outcomes.product_id,
        outcomes.platform,
        count(*) as posts,
        {{ median_of('outcomes.views_72h') }} as views_72h,
        sum(
            case
                when outcomes.engagements is not null and not outcomes.crosses_break then
                    outcomes.views
            end
        ) as exposure,
        sum(
            case
                when outcomes.views is not null and not outcomes.crosses_break then
                    outcomes.engagements
            end
        ) as engagements
    from outcomes
    inner join newest_eras
        on outcomes.platform = newest_eras.platform
        and outcomes.definition_era = newest_eras.definition_era
    where outcomes.product_id is not null
    group by outcomes.product_id, outcomes.platform

),

{# Where the product posts; everywhere while it does not. #}
product_platforms as (

    select
        product_id,
        platform
    from usual_values
    union all
    select
        products.product_id,
        newest_eras.platform
    from products
    cross join newest_eras
    where products.product_id not in (select usual_values.product_id from usual_values)

),

usual_items as (

    select
        product_id,
        'usual' as list,
        row_number() over (partition by product_id order by posts desc, platform asc) as place,
        {{ document_text({
            'platform': quoted_json(shortened('platform', 30)),
            'posts': 'cast(posts as text)',
            'usual_views_after_3_days': 'cast(' ~ three_digits('views_72h') ~ ' as text)',
            'percent_who_engage': percent_text(rate_per_view('engagements', 'exposure')),
        }) }} as item
    from usual_values

),

{# Patterns a product can use: its own, those it used, the best of those that are nobody's. #}
relevant as (

    select
        product_id,
        pattern_id
    from patterns
    where product_id is not null
    union
    select
        product_id,
        pattern_id
    from outcomes
    where product_id is not null
        and pattern_id is not null
    union
    select
        products.product_id,
        patterns.pattern_id
    from products
    cross join patterns
    inner join performance on patterns.pattern_id = performance.pattern_id
    where patterns.product_id is null
        and performance.platform = 'all'
        and performance.rank <= {{ var('gap_candidates') }}

),

used_here as (

    select
        product_id,
        pattern_id,
        count(*) as posts
    from outcomes
    where product_id is not null
        and pattern_id is not null
    group by product_id, pattern_id

),

{# The product's best post with each pattern, where one did better than usual. #}
examples as (

    select
        outcomes.product_id,
        outcomes.pattern_id,
        scripts.hook,
        row_number() over (
            partition by outcomes.product_id, outcomes.pattern_id
            order by {{ significant('outcomes.log_lift_72h') }} desc, outcomes.post_id
        ) as choice
    from outcomes
    inner join scripts on outcomes.script_id = scripts.script_id
    where outcomes.log_lift_72h > 0
        and outcomes.pattern_id is not null

),

best_platforms as (

    select
        pattern_id,
        platform,
        shrunk_lift,
        lift_posts,
        row_number() over (
            partition by pattern_id
            order by {{ significant(log_of_lift('shrunk_lift')) }} desc, platform
        ) as choice
    from performance
    where platform <> 'all'
        and lift_posts >= {{ var('gap_trials') }}

),

pattern_values as {{ computed_once() }} (

    select
        relevant.product_id,
        relevant.pattern_id,
        patterns.hook,
        patterns.structure,
        patterns.look,
        patterns.feel,
        patterns.named,
        coalesce(used_here.posts, 0) as posts_here,
        performance.lift_posts,
        performance.shrunk_lift,
        performance.lift_lo,
        performance.lift_hi,
        performance.share_above_median,
        performance.engagement_rate_eb,
        performance.engagement_rate_eb_lo,
        performance.engagement_rate_eb_hi,
        performance.fatigue_z,
        performance.rank
    from relevant
    inner join named_patterns as patterns on relevant.pattern_id = patterns.pattern_id
    inner join performance
        on relevant.pattern_id = performance.pattern_id
        and performance.platform = 'all'
    left join used_here
        on relevant.product_id = used_here.product_id
        and relevant.pattern_id = used_here.pattern_id

),

{# A pattern that wears out is no recommendation, however good it was. #}
working as (

    select
        *,
        row_number() over (partition by product_id order by rank) as place
    from pattern_values
    where lift_posts >= {{ var('gap_trials') }}
        and {{ significant('shrunk_lift') }} >= 0.02
        and coalesce(fatigue_z, 0) > -2

),

working_items as (

    select
        working.product_id,
        'works' as list,
        working.place,
        {{ document_text({
            'pattern_id': quoted_json('cast(working.pattern_id as text)'),
            'hook': quoted_json('working.hook'),
            'structure': quoted_json("replace(working.structure, '_', ' ')"),
            'look': quoted_json('working.look'),
            'feel': quoted_json('working.feel'),
            'evidence': quoted_json(
                "'Over ' || " ~ counted('working.lift_posts', 'post') ~ " || ', expect about ' || " ~ change_text('working.shrunk_lift')
                ~ " || ' views after 3 days against the usual (likely ' || " ~ change_text('working.lift_lo')
                ~ " || ' to ' || " ~ change_text('working.lift_hi') ~ " || '); '"
                ~ " || cast(" ~ whole('working.share_above_median * 100') ~ " as text) || '% of them beat the usual; '"
                ~ " || " ~ percent_text('working.engagement_rate_eb') ~ " || '% of views bring a like, comment or share ('"
                ~ " || " ~ percent_text('working.engagement_rate_eb_lo') ~ " || ' to '"
                ~ " || " ~ percent_text('working.engagement_rate_eb_hi') ~ " || ').'"
            ),
            'confidence': quoted_json("case when working.lift_lo > 0 then 'clear' else 'uncertain' end"),
            'posts_of_this_product': 'cast(working.posts_here as text)',
            'best_on': quoted_json(
                shortened('best_platforms.platform', 30) ~ " || ' (' || " ~ change_text('best_platforms.shrunk_lift')
                ~ " || ', ' || " ~ counted('best_platforms.lift_posts', 'post') ~ " || ')'"
            ),
            'example_that_did_well': quoted_json('examples.hook'),
        }) }} as item,
        working.named || ', ' || {{ change_text('working.shrunk_lift') }} || ' views (likely '
        || {{ change_text('working.lift_lo') }}
        || ' to '
        || {{ change_text('working.lift_hi') }}
        || ')' as words
    from working
    left join best_platforms
        on working.pattern_id = best_platforms.pattern_id
        and best_platforms.choice = 1
        and best_platforms.shrunk_lift > 0
    left join examples
        on working.product_id = examples.product_id
        and working.pattern_id = examples.pattern_id
        and examples.choice = 1
    where working.place <= 3

),

{# Effects that are unlikely to be chance, the strongest first. Whether a post must say
   that it is paid for is not a question of views: no brief advises on that. #}
telling_effects as {{ computed_once() }} (

    select
        kind,
        tag,
        posts_with,
        shrunk_lift,
        q_value,
        {{ spoken_tag('kind', 'tag') }} as spoken,
        case when q_value <= 0.05 then 'clear' else 'likely' end as confidence,
        row_number() over (
            partition by shrunk_lift > 0
            order by
                {{ significant('abs(' ~ log_of_lift('shrunk_lift') ~ ')') }} desc,
                kind asc,
                tag asc
        ) as place
    from effects
    where q_value <= {{ var('brief_q_value') }}
        and not (
            kind = 'hashtag'
            and tag in (
                {%- for tag in var('disclosure_tags') %}
                '{{ tag }}'{% if not loop.last %},{% endif %}
                {%- endfor %}
            )
        )

),

effect_items as (

    select
        case when shrunk_lift > 0 then 'helps' else 'hurts' end as list,
        place,
        {{ document_text({
            'what': quoted_json('spoken'),
            'views': quoted_json(change_text('shrunk_lift')),
            'posts': 'cast(posts_with as text)',
            'q': 'cast(cast(greatest(' ~ whole('q_value * 1000') ~ ', 1) * 0.001 as decimal(18, 3)) as text)',
            'confidence': quoted_json('confidence'),
        }) }} as item,
        spoken as words
    from telling_effects
    where place <= 5

),

effect_words as (

    select
        string_agg(spoken, ', ' order by place) filter (where shrunk_lift > 0 and place <= 2)
            as helping,
        string_agg(spoken, ', ' order by place) filter (where shrunk_lift < 0 and place <= 3)
            as hurting
    from telling_effects

),

best_posts as {{ computed_once() }} (

    select
        outcomes.*,
        row_number() over (
            partition by product_id order by {{ significant('log_lift_72h') }} desc, post_id
        ) as place
    from outcomes
    where product_id is not null
        and log_lift_72h > 0

),

post_reasons as (

    select
        post_id,
        string_agg(spoken || ' (' || change || ')', ', ' order by choice) as reasons
    from (
        select
            best_posts.post_id,
            telling_effects.spoken,
            {{ change_text('telling_effects.shrunk_lift') }} as change,
            row_number()
                over (partition by best_posts.post_id order by telling_effects.place)
                as choice
        from best_posts
        inner join post_tags on best_posts.post_id = post_tags.post_id
        inner join telling_effects
            on post_tags.kind = telling_effects.kind
            and post_tags.tag = telling_effects.tag
        where best_posts.place <= 3
            and telling_effects.shrunk_lift > 0
    ) as reasons_ranked
    where choice <= 3
    group by post_id

),

best_items as (

    select
        posts.product_id,
        'best' as list,
        posts.place,
        {{ document_text(dict(which_post, **{
            'views_after_3_days': 'cast(' ~ three_digits('posts.views_72h') ~ ' as text)',
            'times_the_usual': 'cast(cast(' ~ whole('exp(posts.log_lift_72h) * 10') ~ ' * 0.1 as decimal(18, 1)) as text)',
            'made_with': quoted_json("coalesce(replace(patterns.structure, '_', ' ') || '; ', '') || coalesce(patterns.look || '; ', '') || patterns.feel"),
            'why': quoted_json("coalesce('It has what tends to help: ' || " ~ shortened('post_reasons.reasons', 140) ~ " || '.', 'Nothing in it is known to help; it may have been luck or the hook.')"),
        })) }} as item
    from best_posts as posts
    left join scripts on posts.script_id = scripts.script_id
    left join patterns on posts.pattern_id = patterns.pattern_id
    left join post_reasons on posts.post_id = post_reasons.post_id
    where posts.place <= 3

),

{# Where no post of a product can be compared with others: what was viewed most so far. #}
compared_products as (

    select distinct product_id
    from outcomes
    where log_lift_72h is not null

),

seen_posts as (

    select
        outcomes.*,
        row_number() over (
            partition by outcomes.product_id order by outcomes.views desc, outcomes.post_id asc
        ) as place
    from outcomes
    left join compared_products on outcomes.product_id = compared_products.product_id
    where outcomes.product_id is not null
        and outcomes.views > 0
        and compared_products.product_id is null

),

seen_items as (

    select
        posts.product_id,
        'seen' as list,
        posts.place,
        {{ document_text(dict(which_post, **{
            'views_so_far': 'cast(' ~ three_digits('posts.views') ~ ' as text)',
        })) }} as item
    from seen_posts as posts
    left join scripts on posts.script_id = scripts.script_id
    where posts.place <= 3

),

{# The best hours of each platform the product posts on, in turn. #}
good_times as (

    select
        product_platforms.product_id,
        posting_times.platform,
        posting_times.weekday,
        posting_times.hour,
        posting_times.n_posts,
        posting_times.effect,
        row_number() over (
            partition by product_platforms.product_id, posting_times.platform
            order by posting_times.rank
        ) as choice
    from product_platforms
    inner join posting_times on product_platforms.platform = posting_times.platform
    where {{ significant('posting_times.effect') }} >= 0.02

),

time_items as (

    select
        product_id,
        'times' as list,
        row_number()
            over (
                partition by product_id order by choice, {{ significant('effect') }} desc, platform
            )
            as place,
        {{ quoted_json(
            shortened('platform', 30) ~ " || ': ' || case weekday"
            ~ " when 1 then 'Monday' when 2 then 'Tuesday' when 3 then 'Wednesday' when 4 then 'Thursday'"
            ~ " when 5 then 'Friday' when 6 then 'Saturday' else 'Sunday' end || ' '"
            ~ " || right('0' || cast(hour as text), 2) || ':00 UTC (' || " ~ change_text('exp(effect) - 1')
            ~ " || ' views on the first day, ' || " ~ counted('n_posts', 'post') ~ " || ')'"
        ) }} as item
    from good_times
    where choice <= 2

),

newest_tag_days as (

    select
        platform,
        max(day) as day
    from hashtags
    where trend_score is not null
    group by platform

),

rising_tags as (

    select
        hashtags.platform,
        hashtags.hashtag,
        hashtags.videos,
        hashtags.trend_score,
        hashtags.is_breakout,
        hashtags.known_at,
        row_number() over (
            partition by hashtags.platform
            order by {{ significant('hashtags.trend_score') }} desc, hashtags.hashtag
        ) as choice
    from hashtags
    inner join newest_tag_days
        on hashtags.platform = newest_tag_days.platform
        and hashtags.day = newest_tag_days.day
    where hashtags.trend_score >= {{ var('brief_trend_score') }}

),

{# Those the product's own trend names come first. #}
rising_for as (

    select
        product_platforms.product_id,
        rising_tags.platform,
        rising_tags.hashtag,
        rising_tags.videos,
        rising_tags.trend_score,
        rising_tags.is_breakout,
        coalesce(rising_tags.hashtag = any(trends.tags), false) as fits
    from product_platforms
    inner join rising_tags on product_platforms.platform = rising_tags.platform
    left join trends on product_platforms.product_id = trends.product_id
    where rising_tags.choice <= 20

),

rising_items as (

    select
        product_id,
        'rising' as list,
        row_number() over (
            partition by product_id
            order by fits desc, {{ significant('trend_score') }} desc, platform, hashtag
        ) as place,
        {{ quoted_json(
            "'#' || " ~ shortened('hashtag', 40) ~ " || ' on ' || " ~ shortened('platform', 30)
            ~ " || ' (' || case when fits then 'goes with this product; ' else '' end"
            ~ " || " ~ counted('videos', 'trending video')
            ~ " || ' that day, score ' || cast(" ~ whole('trend_score') ~ " as text) || ' of 100'"
            ~ " || case when is_breakout then ', breaking out' else '' end || ')'"
        ) }} as item
    from rising_for

),

repeated_hooks as (

    select
        product_id,
        plain_hook,
        min(hook) as hook,
        count(*) as scripts,
        row_number() over (partition by product_id order by count(*) desc, plain_hook) as choice
    from scripts
    where plain_hook is not null
    group by product_id, plain_hook
    having count(*) >= 3

),

warnings as (

    select
        product_id,
        1 as urgency,
        rank as choice,
        'The pattern '
        || named
        || ' seems to wear out: its last {{ var("fatigue_uses") }} posts did worse'
        || ' than its first {{ var("fatigue_uses") }}.' as warning
    from pattern_values
    where fatigue_z <= -2
        and posts_here > 0
    union all
    select
        product_id,
        2,
        -rank,
        'The pattern '
        || named
        || case when lift_hi < 0 then ' does' else ' may do' end
        || ' worse than the usual: '
        || 'over '
        || {{ counted('lift_posts', 'post') }}
        || ', expect about '
        || {{ change_text('shrunk_lift') }}
        || ' views (likely '
        || {{ change_text('lift_lo') }}
        || ' to '
        || {{ change_text('lift_hi') }}
        || ').'
    from pattern_values
    where shrunk_lift < -0.05
        and coalesce(fatigue_z, 0) > -2
        and posts_here > 0
        and lift_posts >= {{ var('min_tag_posts') }}
    union all
    select
        product_id,
        3,
        choice,
        'The hook "'
        || hook
        || '" opens '
        || cast(scripts as text)
        || ' scripts of this product already; say it differently.'
    from repeated_hooks
    where choice <= 3
    union all
    select
        products.product_id,
        4,
        1,
        'What goes along with fewer views: ' || effect_words.hurting || '.'
    from products
    cross join effect_words
    where effect_words.hurting is not null

),

{# A brief does not suggest to try elsewhere what it warns of. #}
warned_patterns as (

    select
        product_id,
        pattern_id
    from pattern_values
    where posts_here > 0
        and (
            fatigue_z <= -2
            or (shrunk_lift < -0.05 and lift_posts >= {{ var('min_tag_posts') }})
        )

),

warning_items as (

    select
        product_id,
        'avoid' as list,
        row_number() over (partition by product_id order by choice, urgency, warning) as place,
        {{ quoted_json('warning') }} as item
    from (
        select
            product_id,
            urgency,
            warning,
            row_number() over (partition by product_id, urgency order by choice, warning) as choice
        from warnings
    ) as in_turn

),

{# One suggestion for each pattern: where it promises most. #}
pattern_gaps as (

    select
        gaps.*,
        row_number()
            over (partition by gaps.product_id, gaps.pattern_id order by gaps.rank)
            as choice
    from gaps
    left join warned_patterns
        on gaps.product_id = warned_patterns.product_id
        and gaps.pattern_id = warned_patterns.pattern_id
    where warned_patterns.pattern_id is null

),

try_items as (

    select
        pattern_gaps.product_id,
        'try' as list,
        row_number()
            over (partition by pattern_gaps.product_id order by pattern_gaps.rank)
            as place,
        {{ document_text({
            'pattern_id': quoted_json('cast(pattern_gaps.pattern_id as text)'),
            'platform': quoted_json(shortened('pattern_gaps.platform', 30)),
            'hook': quoted_json('patterns.hook'),
            'structure': quoted_json("replace(patterns.structure, '_', ' ')"),
            'look': quoted_json('patterns.look'),
            'feel': quoted_json('patterns.feel'),
            'reason': quoted_json(shortened("replace(replace(pattern_gaps.reason, ' The product is trending up.', ''), ' The product is trending down.', '')", 240)),
        }) }} as item
    from pattern_gaps
    inner join patterns on pattern_gaps.pattern_id = patterns.pattern_id
    where pattern_gaps.choice = 1

),

items as (

    select
        product_id,
        list,
        place,
        item,
        null as words
    from usual_items
    union all
    select
        product_id,
        list,
        place,
        item,
        words
    from working_items
    union all
    select
        products.product_id,
        effect_items.list,
        effect_items.place,
        effect_items.item,
        effect_items.words
    from products
    cross join effect_items
    union all
    select
        product_id,
        list,
        place,
        item,
        null
    from best_items
    union all
    select
        product_id,
        list,
        place,
        item,
        null
    from seen_items
    union all
    select
        product_id,
        list,
        place,
        item,
        null
    from time_items
    where place <= 4
    union all
    select
        product_id,
        list,
        place,
        item,
        null
    from rising_items
    where place <= 5
    union all
    select
        product_id,
        list,
        place,
        item,
        null
    from warning_items
    where place <= 6
    union all
    select
        product_id,
        list,
        place,
        item,
        null
    from try_items
    where place <= 3

),

final as (

    select
        product_id,
        list,
        cast(place as bigint) as place,
        item,
        cast(words as text) as words
    from items

)

select * from final
