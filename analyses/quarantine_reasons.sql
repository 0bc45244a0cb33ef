{#
What is held back in quarantine, why, and since when?

A row with several reasons counts under each. `missing_reference` names what a row waits for,
one example of it: land that, and the rows leave by themselves with the next build. `ace
quarantine show` has the rows themselves.

Chart: bar x=rows_held y=table_name+source+reason
#}
with

reasons as (

    select
        table_name,
        source,
        unnest(reasons) as reason,
        missing_reference,
        since
    from {{ ref('quarantined_rows') }}

)

select
    table_name,
    source,
    reason,
    count(*) as rows_held,
    min(since) as oldest_since,
    max(since) as newest_since,
    min(missing_reference) as example_missing_reference
from reasons
group by table_name, source, reason
order by rows_held desc, table_name asc, source asc, reason asc
