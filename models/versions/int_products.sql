{%- set columns = [
    'name', 'description', 'image_url', 'affiliate_link', 'source_platform', 'category',
    'meta', 'created_at', 'updated_at',
] -%}

{{ looked_up_by(['product_id', '_changed_build']) }}

with

arrived as (
    {{ arrived('products', 'product_id', columns) }}

),

keyed as (

    select
        *,
        {{ own_key('products') }} as product_id
    from arrived

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'product_id', ['product_id'] + columns) }}

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when name is null then 'missing_required: name' end,
            case when source_platform is null then 'missing_required: source_platform' end,
            case when _source_key is null then 'missing_required: product_id' end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end,
            case when {{ impossible_time('updated_at') }} then 'out_of_range: updated_at' end
        ) as faults,
        cast(null as {{ type_text() }}) as _missing_reference,
        _known_at as known_since
    from candidates

),

{{ verdicts(
    'judged',
    key='product_id',
    columns=['product_id'] + columns,
    compared=columns,
    newest_by='updated_at',
) }}
