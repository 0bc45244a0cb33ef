{{ config(materialized='view') }}

{# What an asset's product follows from when the asset does not name it: the latest
   version of its script, or the earliest experiment that uses it. #}
with

scripts as (

    select * from {{ ref('int_scripts') }}

),

{# As staged: int_experiments looks its asset up in int_video_assets, which reads this. #}
experiments as (

    select * from {{ ref('stg_operational__experiments') }}

),

{# A product counts as known since the first of the run of versions that name it. #}
script_versions as (

    select
        script_id,
        product_id,
        _known_at,
        _is_latest,
        row_number() over (partition by script_id order by _known_at, _load_id, _position)
        - row_number() over (
            partition by script_id, product_id order by _known_at, _load_id, _position
        ) as run
    from scripts

),

script_products as (

    select
        script_id,
        product_id,
        _is_latest,
        min(_known_at) over (partition by script_id, product_id, run) as known_at,
        min(case when product_id is not null then _known_at end)
            over (partition by script_id) as first_known_at
    from script_versions

),

experiment_versions as (

    select
        experiment_id,
        asset_id,
        product_id,
        _known_at,
        coalesce(created_at, min(_known_at) over (partition by experiment_id)) as created_at,
        row_number() over (
            partition by experiment_id order by _known_at desc, _load_id desc, _position desc
        ) as age_rank,
        row_number() over (partition by experiment_id order by _known_at, _load_id, _position)
        - row_number() over (
            partition by experiment_id, asset_id, product_id
            order by _known_at, _load_id, _position
        ) as run
    from experiments
    where experiment_id is not null
        and {{ known_by_now() }}

),

experiment_products as (

    select
        experiment_id,
        asset_id,
        product_id,
        created_at,
        age_rank,
        min(_known_at) over (
            partition by experiment_id, asset_id, product_id, run
        ) as known_at,
        min(case when product_id is not null then _known_at end)
            over (partition by asset_id) as first_known_at
    from experiment_versions

),

first_experiments as (

    select
        asset_id,
        product_id,
        known_at,
        first_known_at,
        row_number() over (partition by asset_id order by created_at, experiment_id) as choice
    from experiment_products
    where age_rank = 1
        and asset_id is not null
        and product_id is not null

),

final as (

    select
        script_id,
        cast(null as {{ type_uuid() }}) as asset_id,
        product_id,
        known_at,
        first_known_at
    from script_products
    where _is_latest and product_id is not null
    union all
    select
        cast(null as {{ type_uuid() }}) as script_id,
        asset_id,
        product_id,
        known_at,
        first_known_at
    from first_experiments
    where choice = 1

)

select * from final
