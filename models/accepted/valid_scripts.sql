with

versions as (

    select * from {{ ref('int_scripts') }}

),

final as (

    select
        script_id,
        product_id,
        script_text,
        creative_variables,
        coalesce(created_at, _first_known_at) as created_at,
        _verdict = 'accepted' as is_accepted,
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
