with

products as (

    select
        product_id,
        known_at
    from {{ ref('accepted_products') }}

),

patterns as (

    select
        pattern_id,
        product_id
    from {{ ref('accepted_creative_patterns') }}

),

performance as (

    select * from {{ ref('creative_pattern_performance') }}
    where platform <> 'all'

),

trends as (

    select
        product_id,
        direction,
        case when not is_stale then opportunity end as opportunity,
        known_at
    from {{ ref('product_trends') }}
    where is_latest

),

trials as (

    select
        product_id,
        platform,
        pattern_id,
        count(*) as trials
    from {{ ref('int_post_outcomes') }}
    where product_id is not null
        and pattern_id is not null
    group by product_id, platform, pattern_id

),

{# What a pattern may bring on a platform: the gain to expect from trying it and keeping it
   only if it is better than usual. #}
upsides as (

    select
        pattern_id,
        platform,
        lift_posts,
        shrunk_lift,
        lift_lo,
        lift_hi,
        rank,
        known_at,
        {{ log_of_lift('shrunk_lift') }} as mean_log,
        {{ deviation_of_lift('lift_lo', 'lift_hi') }} as sd_log
    from performance

),

{# Every product's own patterns and each platform's best, whoever they were seen on. #}
cells as (

    select
        products.product_id,
        upsides.platform,
        upsides.pattern_id
    from products
    inner join patterns on products.product_id = patterns.product_id
    inner join upsides on patterns.pattern_id = upsides.pattern_id
    union
    select
        products.product_id,
        upsides.platform,
        upsides.pattern_id
    from products
    cross join upsides
    where upsides.rank <= {{ var('gap_candidates') }}

),

weighed as (

    select
        cells.product_id,
        cells.platform,
        cells.pattern_id,
        coalesce(trials.trials, 0) as trials,
        upsides.lift_posts as pattern_posts,
        upsides.shrunk_lift as expected_lift,
        upsides.lift_lo as expected_lift_lo,
        upsides.lift_hi as expected_lift_hi,
        upsides.sd_log * {{ normal_density('upsides.mean_log / upsides.sd_log') }}
        + upsides.mean_log
        * {{ normal_below('upsides.mean_log / upsides.sd_log') }} as expected_upside,
        1 / sqrt(cast(1 + coalesce(trials.trials, 0) as {{ type_double() }})) as uncertainty,
        coalesce(0.5 + trends.opportunity, 1) as trend_factor,
        trends.direction,
        greatest(products.known_at, upsides.known_at, trends.known_at) as known_at
    from cells
    inner join products on cells.product_id = products.product_id
    inner join upsides
        on cells.pattern_id = upsides.pattern_id
        and cells.platform = upsides.platform
    left join trials
        on cells.product_id = trials.product_id
        and cells.platform = trials.platform
        and cells.pattern_id = trials.pattern_id
    left join trends on cells.product_id = trends.product_id
    where coalesce(trials.trials, 0) < {{ var('gap_trials') }}

),

ranked as (

    select
        weighed.*,
        expected_upside * uncertainty * trend_factor as priority,
        row_number() over (
            partition by product_id
            order by
                {{ significant('expected_upside * uncertainty * trend_factor') }} desc,
                platform,
                pattern_id
        ) as rank
    from weighed

),

final as (

    select
        product_id,
        platform,
        pattern_id,
        trials,
        pattern_posts,
        expected_lift,
        expected_lift_lo,
        expected_lift_hi,
        cast(expected_upside as {{ type_double() }}) as expected_upside,
        cast(uncertainty as {{ type_double() }}) as uncertainty,
        cast(trend_factor as {{ type_double() }}) as trend_factor,
        cast(priority as {{ type_double() }}) as priority,
        rank,
        case
            when trials = 0 then 'Not tried on ' || platform || ' for this product yet'
            else 'Only '
                || {{ counted('trials', 'post') }}
                || ' on '
                || platform
                || ' for this product'
        end
        || case
            when pattern_posts = 0 then
                '; there is no result of the pattern on this platform, so anything can happen'
            else '; judging by '
                || {{ counted('pattern_posts', 'post') }}
                || ' with the pattern there, expect about '
                || {{ change_text('expected_lift') }} || ' views against the usual (likely '
                || {{ change_text('expected_lift_lo') }}
                || ' to '
                || {{ change_text('expected_lift_hi') }}
                || ')'
        end
        || case direction
            when 'up' then '. The product is trending up.'
            when 'down' then '. The product is trending down.'
            else '.'
        end as reason,
        known_at
    from ranked
    where rank <= {{ var('gaps_per_product') }}

)

select * from final
