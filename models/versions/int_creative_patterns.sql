{%- set columns = [
    'product_id', 'hook_text', 'structure', 'style_tags', 'emotion_tags', 'notes',
    'observed_performance', 'created_at',
] -%}

{{ looked_up_by(['pattern_id', '_changed_build', 'product_id']) }}

with

{% if is_incremental() -%}
-- Patterns whose product changed since this table was last built.
woken as (
    {{ woken_by(ref('int_products'), 'product_id') }}

),

{% endif -%}
arrived as (
    {{ arrived('creative_patterns', 'pattern_id', columns, woken='woken') }}

),

keyed as (

    select
        *,
        {{ own_key('creative_patterns') }} as pattern_id
    from arrived

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'pattern_id', ['pattern_id'] + columns) }}

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
            case when _source_key is null then 'missing_required: pattern_id' end,
            case
                when product_id is not null and product_known_at is null
                then 'missing_parent: product_id'
            end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end
        ) as faults,
        case
            when product_known_at is null then 'products ' || {{ as_text('product_id') }}
        end as _missing_reference,
        greatest(_known_at, product_known_at) as known_since
    from found

),

{{ verdicts(
    'judged',
    key='pattern_id',
    columns=['pattern_id'] + columns,
    compared=columns,
) }}
