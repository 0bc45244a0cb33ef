{{ config(materialized='view') }}

{# What an asset's product follows from when the asset does not name it: the latest
   version of its script, or the earliest experiment that uses it. #}
with

scripts as (

    select * from {{ ref('int_scripts') }}

),

experiments as (

    select * from {{ ref('stg_operational__experiments') }}

),

latest_scripts as (

    select
        script_id,
        cast(null as {{ type_uuid() }}) as asset_id,
        product_id,
        _known_at as known_at
    from scripts
    where _is_latest and product_id is not null

),

experiment_versions as (

    select
        experiment_id,
        asset_id,
        product_id,
        _known_at as known_at,
        coalesce(created_at, min(_known_at) over (partition by experiment_id)) as created_at,
        row_number() over (
            partition by experiment_id order by _known_at desc, _load_id desc, _position desc
        ) as age_rank
    from experiments
    where experiment_id is not null
        and _known_at <= {{ as_of() }}

),

first_experiments as (

    select
        asset_id,
        product_id,
        known_at,
        row_number() over (partition by asset_id order by created_at, experiment_id) as choice
    from experiment_versions
    where age_rank = 1
        and asset_id is not null
        and product_id is not null

),

final as (

    select * from latest_scripts
    union all
    select
        cast(null as {{ type_uuid() }}) as script_id,
        asset_id,
        product_id,
        known_at
    from first_experiments
    where choice = 1

)

select * from final
