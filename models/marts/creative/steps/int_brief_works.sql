{{ config(materialized='view') }}

with

patterns as (

    select * from {{ ref('int_brief_patterns') }}

),

outcomes as (

    select * from {{ ref('int_post_outcomes') }}

),

scripts as (

    select * from {{ ref('accepted_scripts') }}

),

platform_performance as (

    select * from {{ ref('creative_pattern_performance') }}
    where platform <> 'all'

),

working as (

    select
        *,
        works_place as place
    from patterns
    where works_place <= 3

),

best_platforms as (

    select
        pattern_id,
        platform,
        shrunk_lift,
        lift_posts,
        row_number() over (
            partition by pattern_id
            order by {{ significant('shrunk_lift') }} desc, platform
        ) as choice
    from platform_performance
    where lift_posts >= {{ var('gap_trials') }}

),

ranked_posts as (

    select
        product_id,
        pattern_id,
        script_id,
        row_number() over (
            partition by product_id, pattern_id
            order by {{ significant('log_lift_72h') }} desc, post_id
        ) as choice
    from outcomes
    where log_lift_72h > 0
        and pattern_id is not null
        and script_id in (select scripts.script_id from scripts)

),

{# The product's best post with each pattern, where one did better than usual. #}
best_posts as (

    select * from ranked_posts
    where choice = 1

),

examples as (

    select
        best_posts.product_id,
        best_posts.pattern_id,
        {{ script_hook('scripts') }} as hook
    from best_posts
    inner join scripts on best_posts.script_id = scripts.script_id

),

phrased as (

    select
        working.*,
        'Over '
        || {{ counted('working.lift_posts', 'post') }}
        || ', expect about '
        || {{ change_text('working.shrunk_lift') }}
        || ' views after 3 days against the usual ('
        || {{ likely_text('working.lift_lo', 'working.lift_hi') }}
        || '); '
        || cast({{ whole('working.share_above_median * 100') }} as {{ type_text() }})
        || '% of them beat the usual; '
        || {{ percent_text('working.engagement_rate_eb') }}
        || '% of views bring a like, comment or share ('
        || {{ percent_text('working.engagement_rate_eb_lo') }}
        || ' to '
        || {{ percent_text('working.engagement_rate_eb_hi') }}
        || ').' as evidence,
        case when working.lift_lo > 0 then 'clear' else 'uncertain' end as confidence,
        {{ shortened('best_platforms.platform', 30) }}
        || ' ('
        || {{ change_text('best_platforms.shrunk_lift') }}
        || ', '
        || {{ counted('best_platforms.lift_posts', 'post') }}
        || ')' as best_on,
        examples.hook as example,
        working.named
        || ', '
        || {{ change_text('working.shrunk_lift') }}
        || ' views ('
        || {{ likely_text('working.lift_lo', 'working.lift_hi') }}
        || ')' as words
    from working
    left join best_platforms
        on working.pattern_id = best_platforms.pattern_id
        and best_platforms.choice = 1
        and best_platforms.shrunk_lift > 0
    left join examples
        on working.product_id = examples.product_id
        and working.pattern_id = examples.pattern_id

),

final as (

    select
        product_id,
        'works' as list,
        place,
        {{ document_text({
            'pattern_id': quoted_json(as_text('pattern_id')),
            'hook': quoted_json('hook'),
            'structure': quoted_json('structure'),
            'look': quoted_json('look'),
            'feel': quoted_json('feel'),
            'evidence': quoted_json('evidence'),
            'confidence': quoted_json('confidence'),
            'posts_of_this_product': as_text('posts_here'),
            'evidence_from': quoted_json('evidence_from'),
            'best_on': quoted_json('best_on'),
            'example_that_did_well': quoted_json('example'),
        }) }} as item,
        words
    from phrased

)

select * from final
