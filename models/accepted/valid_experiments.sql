with

versions as (

    select * from {{ ref('int_experiments') }}

),

final as (

    select
        experiment_id,
        product_id,
        script_id,
        asset_id,
        coalesce(created_at, _first_known_at) as created_at,
        hypothesis,
        variation_label,
        _verdict = 'accepted' as is_accepted,
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
