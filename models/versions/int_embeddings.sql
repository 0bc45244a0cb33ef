{%- set columns = [
    'reference_type', 'given_reference_id', 'embedding', 'metadata', 'created_at',
] -%}

{{ looked_up_by(['embedding_id', 'reference_id']) }}

with

{% if is_incremental() -%}
changed as {{ inlined() }} (

    select
        known_types.reference_type,
        named.reference_id,
        named.source_key,
        named.natural_key
    from {{ ref('int_references') }} as named
    inner join {{ ref('reference_types') }} as known_types
        on named.table_name = known_types.table_name
    where named.changed_build > {{ last_build() }}

),

-- Embeddings of a row that changed since this table was last built, by whatever they name it.
woken as (

    select
        existing._load_id,
        existing._position
    from {{ this }} as existing
    inner join changed
        on existing.reference_type = changed.reference_type
        and existing.reference_id = changed.reference_id
    union
    select
        existing._load_id,
        existing._position
    from {{ this }} as existing
    inner join changed
        on existing.reference_type = changed.reference_type
        and existing.given_reference_id = changed.source_key
    union
    select
        existing._load_id,
        existing._position
    from {{ this }} as existing
    inner join changed
        on existing.reference_type = changed.reference_type
        and existing.given_reference_id = changed.natural_key

),

{% endif -%}
arrived as (
    {{ arrived('embeddings', 'embedding_id', columns, woken='woken') }}

),

-- Of what an embedding can stand for, only posts and videos have keys that lose to others.
given_references as (

    select given_reference_id as reference_id from arrived

),

posts_by_reference as (
    {{ names_of('published_posts', 'post_id', among='given_references') }}

),

videos_by_reference as (
    {{ names_of('raw_videos', 'id', among='given_references') }}

),

keyed as (

    select
        arrived.*,
        coalesce(
            posts_by_reference.post_id, videos_by_reference.id, arrived.given_reference_id
        ) as reference_id,
        {{ own_key('embeddings') }} as embedding_id
    from arrived
    left join {{ ref('reference_types') }} as known_types
        on arrived.reference_type = known_types.reference_type
    left join posts_by_reference
        on known_types.table_name = 'published_posts'
        and arrived.given_reference_id = posts_by_reference.reference_id
    left join videos_by_reference
        on known_types.table_name = 'raw_videos'
        and arrived.given_reference_id = videos_by_reference.reference_id

),

candidates as (
    {{ with_rows_of_their_keys(
        'keyed', 'embedding_id', ['embedding_id'] + columns + ['reference_id']
    ) }}

),

-- A row of an unknown type has no parent to wait for.
found as (

    select
        candidates.*,
        known_types.table_name,
        parents.valid_from as parent_known_at
    from candidates
    left join {{ ref('reference_types') }} as known_types
        on candidates.reference_type = known_types.reference_type
    left join {{ ref('int_references') }} as parents
        on known_types.table_name = parents.table_name
        and candidates.reference_id = parents.reference_id
        and parents.is_accepted

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when reference_type is null then 'missing_required: reference_type' end,
            case when given_reference_id is null then 'missing_required: given_reference_id' end,
            case when embedding is null then 'missing_required: embedding' end,
            case when _source_key is null then 'missing_required: embedding_id' end,
            case
                when table_name is not null
                    and given_reference_id is not null
                    and parent_known_at is null
                then 'missing_parent: reference_id'
            end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end
        ) as faults,
        case
            when parent_known_at is null
            then table_name || ' ' || {{ as_text('given_reference_id') }}
        end as _missing_reference,
        greatest(_known_at, parent_known_at) as known_since
    from found

),

{{ verdicts(
    'judged',
    key='embedding_id',
    columns=['embedding_id'] + columns + ['reference_id'],
    compared=columns,
    referenced=false,
) }}
