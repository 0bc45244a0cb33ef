with

versions as (

    select * from {{ ref('valid_experiments') }}

),

final as (

    select
        experiment_id,
        product_id,
        script_id,
        asset_id,
        created_at,
        hypothesis,
        variation_label,
        known_at,
        _known_at,
        _valid_from,
        _source,
        _load_id,
        _position,
        _build,
        _changed_build
    from versions
    where is_accepted

)

select * from final
