with

versions as (

    select * from {{ ref('int_video_assets') }}

),

final as (

    select
        asset_id,
        script_id,
        product_id,
        storage_url,
        coalesce(
            format,
            {{ json_text('metadata', 'format') }},
            {{ first_match('lower(storage_url)', '[.]([a-z0-9]{1,5})([?#].*)?$') }},
            'unknown'
        ) as format,
        coalesce(metadata, {{ empty_object() }}) as metadata,
        coalesce(created_at, _first_known_at) as created_at,
        {{ accepted_bookkeeping() }}
    from versions
    where _verdict = 'accepted'

)

select * from final
