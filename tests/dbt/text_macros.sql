{{ config(tags=['macros']) }}

{# What agents write, read alike by the engines. A failing row names the case. #}
with

texts as (

    select
        'see 00000000-0000-0000-0000-00000000000A, 00000000-0000-0000-0000-00000000000b' || chr(10)
        || 'not 00000000-0000-0000-0000-00000000000 nor é' as content
    union all
    select cast(null as text)
    union all
    select ''

),

found as (

    select {{ uuids_in('content') }} as reference_id
    from texts

),

cases as (

    select
        'uuids_in' as case_name,
        {{ joined_text(
            'right(cast(reference_id as text), 1)', ',', 'cast(reference_id as text)'
        ) }} as got,
        'a,b' as expected
    from found
    union all
    select
        'comparable_text',
        {{ comparable_text("' A ' || chr(9) || chr(10) || 'bé  C' || chr(13)") }},
        'a bé c'
    union all
    select
        'comparable_text of other letters',
        {{ comparable_text("' ÉA '") }},
        'Éa'
    union all
    select
        'comparable_text of null',
        {{ comparable_text('cast(null as text)') }},
        null

)

select *
from cases
where got is distinct from expected
