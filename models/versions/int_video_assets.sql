{%- set columns = [
    'given_product_id', 'script_id', 'storage_url', 'format', 'metadata', 'created_at',
] -%}
{#- Clocks of the product: since when it is this one and, so that another one later does not move the
   key, since when there was any. -#}
{%- set of_product = ['product_id', '_product_known_at', '_product_first_known_at'] -%}

{{ looked_up_by(['asset_id', '_changed_build', 'script_id', 'product_id']) }}

with

-- An asset's product: as given, else its script's, else that of the experiment using it.
by_script as (

    select * from {{ ref('int_video_asset_products') }}
    where script_id is not null

),

by_experiment as (

    select * from {{ ref('int_video_asset_products') }}
    where asset_id is not null

),

{% if is_incremental() -%}
-- Assets whose script or product changed since this table was last built, or whose product is
-- another now, or was known at another time.
woken as (
    {{ woken_by(ref('int_scripts'), 'script_id') }}
    union
    {{ woken_by(ref('int_products'), 'product_id') }}
    union
    select
        existing._load_id,
        existing._position
    from {{ this }} as existing
    left join by_script on existing.script_id = by_script.script_id
    left join by_experiment on existing._source_key = by_experiment.asset_id
    where existing.given_product_id is null
        and {{ record() }}(
            existing.product_id, existing._product_known_at, existing._product_first_known_at
        ) is distinct from case
            when by_script.product_id is not null
            then {{ record() }}(by_script.product_id, by_script.known_at, by_script.first_known_at)
            else
                {{ record() }}(
                    by_experiment.product_id,
                    by_experiment.known_at,
                    by_experiment.first_known_at
                )
        end

),

{% endif -%}
arrived as (
    {{ arrived('video_assets', 'asset_id', columns, woken='woken') }}

),

keyed as (

    select
        arrived.*,
        coalesce(
            arrived.given_product_id, by_script.product_id, by_experiment.product_id
        ) as product_id,
        case
            when arrived.given_product_id is not null then null
            when by_script.product_id is not null then by_script.known_at
            else by_experiment.known_at
        end as _product_known_at,
        case
            when arrived.given_product_id is not null then null
            when by_script.product_id is not null then by_script.first_known_at
            else by_experiment.first_known_at
        end as _product_first_known_at,
        {{ own_key('video_assets') }} as asset_id
    from arrived
    left join by_script on arrived.script_id = by_script.script_id
    left join by_experiment on arrived._source_key = by_experiment.asset_id

),

candidates as (
    {{ with_rows_of_their_keys('keyed', 'asset_id', ['asset_id'] + columns + of_product) }}

),

found as (

    select
        candidates.*,
        scripts._valid_from as script_known_at,
        products._valid_from as product_known_at
    from candidates
    left join {{ ref('int_scripts') }} as scripts
        on candidates.script_id = scripts.script_id
        and scripts._verdict = 'accepted'
    left join {{ ref('int_products') }} as products
        on candidates.product_id = products.product_id
        and products._verdict = 'accepted'

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            -- An asset whose script is missing may find its product when that comes.
            case
                when product_id is null and (script_id is null or script_known_at is not null)
                then 'missing_required: product_id'
            end,
            case when storage_url is null then 'missing_required: storage_url' end,
            case when _source_key is null then 'missing_required: asset_id' end,
            case
                when script_id is not null and script_known_at is null
                then 'missing_parent: script_id'
            end,
            case
                when product_id is not null and product_known_at is null
                then 'missing_parent: product_id'
            end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end
        ) as faults,
        coalesce(
            case when script_known_at is null then 'scripts ' || {{ as_text('script_id') }} end,
            case when product_known_at is null then 'products ' || {{ as_text('product_id') }} end
        ) as _missing_reference,
        greatest(
            _known_at, script_known_at, product_known_at, _product_known_at
        ) as known_since,
        greatest(
            _known_at, script_known_at, product_known_at, _product_first_known_at
        ) as key_known_since
    from found

),

{{ verdicts(
    'judged',
    key='asset_id',
    columns=['asset_id'] + columns + of_product,
    compared=columns,
    key_since='key_known_since',
) }}
