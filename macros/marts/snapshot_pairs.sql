{# CTEs to `pairs`: every row of `snapshots` (int_product_popularity) with those before it of its
   product, fewer than `most` steps earlier. Who is met is worked out first, so that the join is
   by equality: a product with a thousand snapshots does not meet all of them. #}
{% macro pairs_with_earlier(snapshots, most) -%}
steps as (

    select numbers.step
    from (values ({{ range(1, most) | join('), (') }})) as numbers (step)

),

reaching as {{ computed_once() }} (

    select
        {{ snapshots }}.product_id,
        {{ snapshots }}.snapshot_time,
        {{ snapshots }}.number,
        {{ snapshots }}.popularity,
        {{ snapshots }}.scale,
        steps.step,
        {{ snapshots }}.number - steps.step as earlier_number
    from {{ snapshots }}
    cross join steps

),

pairs as {{ computed_once() }} (

    select
        reaching.product_id,
        reaching.snapshot_time,
        reaching.number,
        reaching.popularity,
        reaching.scale,
        reaching.step,
        earlier.popularity as earlier_popularity,
        {{ hours_between('earlier.snapshot_time', 'reaching.snapshot_time') }} / 24 as days
    from reaching
    inner join {{ snapshots }} as earlier
        on reaching.product_id = earlier.product_id
        and reaching.earlier_number = earlier.number

),
{%- endmacro %}
