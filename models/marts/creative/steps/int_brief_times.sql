{{ config(materialized='view') }}

with

product_platforms as (

    select * from {{ ref('int_product_platforms') }}

),

posting_times as (

    select * from {{ ref('posting_times') }}

),

good_times as (

    select
        product_platforms.product_id,
        posting_times.platform,
        posting_times.weekday,
        posting_times.hour,
        posting_times.n_posts,
        posting_times.effect,
        posting_times.effect_lo,
        posting_times.effect_hi,
        row_number() over (
            partition by product_platforms.product_id, posting_times.platform
            order by posting_times.rank
        ) as choice
    from product_platforms
    inner join posting_times on product_platforms.platform = posting_times.platform
    {# Something to gain, and three quarters of what it may bring are a gain. #}
    where {{ significant('posting_times.effect') }} >= 0.02
        and {{ more_than('posting_times.effect_hi', '-3 * posting_times.effect_lo', 1) }}

),

{# The best hour of every platform first, then the second best of each. #}
in_turn as (

    select
        *,
        row_number() over (
            partition by product_id
            order by choice, {{ significant('effect') }} desc, platform
        ) as place
    from good_times
    where choice <= 2

),

phrased as (

    select
        product_id,
        place,
        {{ shortened('platform', 30) }}
        || ': '
        || case weekday
            when 1 then 'Monday'
            when 2 then 'Tuesday'
            when 3 then 'Wednesday'
            when 4 then 'Thursday'
            when 5 then 'Friday'
            when 6 then 'Saturday'
            else 'Sunday'
        end
        || ' '
        || right('0' || cast(hour as {{ type_text() }}), 2)
        || ':00 UTC ('
        || {{ change_text('exp(effect) - 1') }}
        || ' first-day views, '
        || {{ likely_text('exp(effect_lo) - 1', 'exp(effect_hi) - 1') }}
        || ', '
        || case n_posts
            when 0 then 'no post there yet'
            else {{ counted('n_posts', 'post') }}
        end
        || ')' as sentence
    from in_turn
    where place <= 4

),

final as (

    select
        product_id,
        'times' as list,
        place,
        {{ quoted_json('sentence') }} as item,
        cast(null as {{ type_text() }}) as words
    from phrased

)

select * from final
