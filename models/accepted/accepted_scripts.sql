with

versions as (

    select * from {{ ref('valid_scripts') }}

),

final as (

    select
        script_id,
        product_id,
        script_text,
        creative_variables,
        created_at,
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
