{{ config(severity='warn') }}

{# Platforms, event types and reference types nobody has listed yet. New ones appear and
   are accepted; this says which, and how often. #}
with

named as (

    select
        'platform' as kind,
        platform as name,
        'published_posts' as table_name
    from {{ ref('published_posts') }}
    union all
    select
        'platform' as kind,
        platform as name,
        'raw_videos' as table_name
    from {{ ref('raw_videos') }}
    union all
    select
        'event_type' as kind,
        event_type as name,
        'system_events' as table_name
    from {{ ref('system_events') }}
    union all
    select
        'reference_type' as kind,
        reference_type as name,
        'embeddings' as table_name
    from {{ ref('embeddings') }}

),

known as (

    select
        'platform' as kind,
        platform as name
    from {{ ref('platforms') }}
    union all
    select
        'event_type' as kind,
        event_type as name
    from {{ ref('event_taxonomy') }}
    union all
    select
        'reference_type' as kind,
        reference_type as name
    from {{ ref('reference_types') }}

),

counted as (

    select
        kind,
        table_name,
        name,
        count(*) as row_count
    from named
    group by kind, table_name, name

)

select counted.*
from counted
left join known
    on
    counted.kind = known.kind
    and counted.name = known.name
where known.name is null
