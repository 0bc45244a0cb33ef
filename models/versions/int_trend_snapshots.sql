{%- set columns = [
    'product_id', 'popularity_score', 'velocity_score', 'competition_score',
    'tiktok_trend_tags', 'raw_source_data', 'snapshot_time',
] -%}

{{ looked_up_by(['snapshot_id', '_changed_build', 'product_id']) }}

with

{% if is_incremental() -%}
-- Snapshots whose product changed since this table was last built.
woken as (
    {{ woken_by(ref('int_products'), 'product_id') }}

),

{% endif -%}
arrived as (
    {{ arrived('trend_snapshots', 'snapshot_id', columns, woken='woken') }}

),

keyed as (

    select
        *,
        {{ own_key('trend_snapshots') }} as snapshot_id
    from arrived

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'snapshot_id', ['snapshot_id'] + columns) }}

),

found as (

    select
        candidates.*,
        products._valid_from as product_known_at
    from candidates
    left join {{ ref('int_products') }} as products
        on candidates.product_id = products.product_id
        and products._verdict = 'accepted'

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when product_id is null then 'missing_required: product_id' end,
            case when _source_key is null then 'missing_required: snapshot_id' end,
            case
                when product_id is not null and product_known_at is null
                then 'missing_parent: product_id'
            end,
            case when {{ impossible_time('snapshot_time') }} then 'out_of_range: snapshot_time' end
        ) as faults,
        case
            when product_known_at is null then 'products ' || cast(product_id as {{ type_text() }})
        end as _missing_reference,
        greatest(_known_at, product_known_at) as known_since
    from found

),

{{ verdicts(
    'judged',
    key='snapshot_id',
    columns=['snapshot_id'] + columns,
    compared=columns,
) }}
