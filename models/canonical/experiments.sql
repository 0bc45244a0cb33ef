with

versions as (

    select * from {{ ref('int_experiments') }}

),

accepted as (

    select
        experiment_id,
        product_id,
        script_id,
        asset_id,
        coalesce(created_at, _first_known_at) as created_at
    from versions
    where _verdict = 'accepted'

)

select * from accepted
