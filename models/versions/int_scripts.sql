{%- set columns = ['product_id', 'script_text', 'creative_variables', 'created_at'] -%}

{{ looked_up_by(['script_id', '_changed_build', 'product_id']) }}

with

{% if is_incremental() -%}
-- Scripts whose product changed since this table was last built.
woken as (
    {{ woken_by(ref('int_products'), 'product_id') }}

),

{% endif -%}
arrived as (
    {{ arrived('scripts', 'script_id', columns, woken='woken') }}

),

keyed as (

    select
        *,
        {{ own_key('scripts') }} as script_id
    from arrived

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'script_id', ['script_id'] + columns) }}

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
            case when script_text is null then 'missing_required: script_text' end,
            case when _source_key is null then 'missing_required: script_id' end,
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
    key='script_id',
    columns=['script_id'] + columns,
    compared=columns,
) }}
