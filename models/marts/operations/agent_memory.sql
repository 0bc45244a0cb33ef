{#- A near-identical note is looked for among so many later ones of its agent and topic. -#}
{%- set reach = 50 %}

with

build as (

    select {{ as_of() }} as as_of

),

notes as (

    select
        note_id,
        agent_name,
        topic,
        content,
        importance,
        {{ comparable_text('content') }} as said,
        {{ parse_vector('embedding') }} as vector,
        created_at,
        known_at
    from {{ ref('accepted_agent_notes') }}

),

placed as (

    select
        note_id,
        agent_name,
        topic,
        vector,
        row_number() over (partition by agent_name, topic order by created_at, note_id) as place
    from notes
    where vector is not null
        and topic is not null

),

{# Notes an agent wrote again in the same words: the newest of them stays. #}
same_words as (

    select
        note_id,
        first_value(note_id) over (
            partition by agent_name, said
            order by created_at desc, note_id desc
        ) as repeated_by
    from notes

),

later as (

    select
        earlier.note_id,
        later.note_id as repeated_by,
        earlier.vector as one,
        later.vector as other
    from placed as earlier
    inner join placed as later
        on earlier.agent_name = later.agent_name
        and earlier.topic = later.topic
        and earlier.place < later.place
        and later.place <= earlier.place + {{ reach }}

),

repeats as (

    select
        note_id,
        repeated_by
    from same_words
    where note_id <> repeated_by
    union
    select
        note_id,
        repeated_by
    from later
    where {{ vector_cosine('one', 'other') }} >= {{ var('near_duplicate') }}

),

newest_repeat as (

    select
        repeats.note_id,
        repeats.repeated_by,
        notes.known_at,
        row_number() over (
            partition by repeats.note_id
            order by notes.created_at desc, notes.note_id desc
        ) as choice
    from repeats
    inner join notes on repeats.repeated_by = notes.note_id

),

written as (

    select
        note_id,
        {{ uuids_in('content') }} as reference_id
    from notes

),

referred as (

    select
        written.note_id,
        {{ distinct_sorted_array(
            "rows_of.table_name || '/' || " ~ as_text('rows_of.reference_id')
        ) }} as mentions,
        max(rows_of.valid_from) as known_at
    from written
    inner join
        {{ ref('accepted_references') }} as rows_of
        on written.reference_id = rows_of.reference_id
    where written.reference_id <> written.note_id
    group by written.note_id

),

aged as (

    select
        notes.*,
        {{ hours_between('notes.created_at', 'build.as_of') }} / 24 as age_days
    from notes
    cross join build

),

final as (

    select
        aged.note_id,
        aged.agent_name,
        aged.topic,
        aged.content,
        aged.importance,
        aged.created_at,
        aged.age_days,
        {{ half_life_weight('greatest(aged.age_days, 0)', var('note_half_life_days')) }}
            as recency_weight,
        coalesce(aged.importance, {{ var('unrated_importance') }})
        * {{ half_life_weight('greatest(aged.age_days, 0)', var('note_half_life_days')) }}
            as memory_score,
        coalesce(referred.mentions, {{ empty_array() }}) as mentions,
        newest_repeat.repeated_by is not null as is_superseded,
        newest_repeat.repeated_by as superseded_by,
        greatest(aged.known_at, newest_repeat.known_at, referred.known_at) as known_at
    from aged
    left join newest_repeat
        on aged.note_id = newest_repeat.note_id
        and newest_repeat.choice = 1
    left join referred on aged.note_id = referred.note_id

)

select * from final
