with

{# Counted from what was landed, not from what was made of it, or a lost row could not
   show. #}
staged as (

    select * from {{ ref('int_landed_loads') }}

),

{# A load is there as of a time when any of it was known by then. #}
loads as (

    select
        pinned.resource as table_name,
        pinned.source,
        sum(pinned.read - coalesce(staged.not_yet_known, 0)) as read,
        sum(pinned.rejected - pinned.recovered) as rejected,
        sum(coalesce(staged.landed, 0)) as landed
    from {{ meta('loads') }} as pinned
    left join staged on pinned.resource = staged.resource and pinned.load_id = staged.load_id
    where pinned.resource <> '_heartbeat'
        and coalesce(pinned.known_at_min, pinned.landed_at) <= {{ as_of() }}
    group by pinned.resource, pinned.source

),

verdicts as (

    select * from {{ ref('int_verdict_counts') }}

),

joined as (

    select
        loads.table_name,
        loads.source,
        loads.read,
        loads.landed,
        loads.rejected,
        coalesce(verdicts.accepted, 0) as accepted,
        coalesce(verdicts.duplicate, 0) as duplicate,
        coalesce(verdicts.superseded, 0) as superseded,
        coalesce(verdicts.quarantined, 0) as quarantined,
        verdicts.oldest_quarantined as oldest
    from loads
    left join verdicts
        on loads.table_name = verdicts.table_name and loads.source = verdicts.source

),

final as (

    select
        table_name,
        source,
        cast(read as bigint) as read,
        cast(landed as bigint) as landed,
        cast(rejected as bigint) as rejected,
        cast(accepted as bigint) as accepted,
        cast(duplicate as bigint) as duplicate,
        cast(superseded as bigint) as superseded,
        cast(quarantined as bigint) as quarantined,
        cast(landed - (accepted + duplicate + superseded + quarantined) as bigint) as balance,
        oldest
    from joined

)

select * from final
