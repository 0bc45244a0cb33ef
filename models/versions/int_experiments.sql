{%- set columns = [
    'product_id', 'script_id', 'asset_id', 'hypothesis', 'variation_label', 'created_at',
] -%}

{{ looked_up_by(['experiment_id', '_changed_build', 'product_id', 'script_id', 'asset_id']) }}

with

{% if is_incremental() -%}
-- Experiments whose product, script or asset changed since this table was last built.
woken as (
    {{ woken_by(ref('int_products'), 'product_id') }}
    union
    {{ woken_by(ref('int_scripts'), 'script_id') }}
    union
    {{ woken_by(ref('int_video_assets'), 'asset_id') }}

),

{% endif -%}
arrived as (
    {{ arrived('experiments', 'experiment_id', columns, woken='woken') }}

),

keyed as (

    select
        *,
        {{ own_key('experiments') }} as experiment_id
    from arrived

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'experiment_id', ['experiment_id'] + columns) }}

),

found as (

    select
        candidates.*,
        products._valid_from as product_known_at,
        scripts._valid_from as script_known_at,
        assets._valid_from as asset_known_at
    from candidates
    left join {{ ref('int_products') }} as products
        on candidates.product_id = products.product_id
        and products._verdict = 'accepted'
    left join {{ ref('int_scripts') }} as scripts
        on candidates.script_id = scripts.script_id
        and scripts._verdict = 'accepted'
    left join {{ ref('int_video_assets') }} as assets
        on candidates.asset_id = assets.asset_id
        and assets._verdict = 'accepted'

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when product_id is null then 'missing_required: product_id' end,
            case when _source_key is null then 'missing_required: experiment_id' end,
            case
                when product_id is not null and product_known_at is null
                then 'missing_parent: product_id'
            end,
            case
                when script_id is not null and script_known_at is null
                then 'missing_parent: script_id'
            end,
            case
                when asset_id is not null and asset_known_at is null
                then 'missing_parent: asset_id'
            end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end
        ) as faults,
        coalesce(
            case when product_known_at is null then 'products ' || {{ as_text('product_id') }} end,
            case when script_known_at is null then 'scripts ' || {{ as_text('script_id') }} end,
            case when asset_known_at is null then 'video_assets ' || {{ as_text('asset_id') }} end
        ) as _missing_reference,
        greatest(_known_at, product_known_at, script_known_at, asset_known_at) as known_since
    from found

),

{{ verdicts(
    'judged',
    key='experiment_id',
    columns=['experiment_id'] + columns,
    compared=columns,
) }}
