{{ config(tags=['macros']) }}

{# Derived keys are promises to whoever stored one: they must never change, and be the
   same on every engine. The expected values were computed with Python's hashlib. #}
with

parts as (

    select
        'youtube' as platform,
        {{ text_literal('a|b\\c') }} as external_id,
        cast(null as text) as unknown

),

cases as (

    select
        'derived_key' as case_name,
        cast({{ derived_key('t', ['platform', "'x'"]) }} as text) as got,
        'f6caed6b-a30f-2d7c-0a55-246b80f8c78d' as expected
    from parts
    union all
    select
        'derived_key escapes' as case_name,
        cast({{ derived_key('t', [escaped('external_id')]) }} as text) as got,
        '5ad89ef7-6f08-d051-49c2-2990e3b1a868' as expected
    from parts
    union all
    select
        'derived_key of numbers' as case_name,
        cast({{ derived_key('t', ['cast(1795366929123456 as bigint)']) }} as text) as got,
        '446a78ac-8d9b-8575-23ce-674d2056e29e' as expected
    from parts
    union all
    select
        'derived_key of an unknown part' as case_name,
        cast({{ derived_key('t', ['platform', 'unknown']) }} as text) as got,
        cast(null as text) as expected
    from parts
    union all
    select
        'own_key is the source''s' as case_name,
        cast({{ own_key('t') }} as text) as got,
        '00000000-0000-0000-0000-00000000000a' as expected
    from (
        select
            cast('00000000-0000-0000-0000-00000000000a' as {{ type_uuid() }}) as _source_key,
            'load' as _load_id,
            0 as _position
    ) as given
    union all
    select
        'own_key is the place in the load' as case_name,
        cast({{ own_key('t') }} as text) as got,
        '7d1a787e-2504-2eff-80ef-d44b25a55c53' as expected
    from (
        select
            cast(null as {{ type_uuid() }}) as _source_key,
            'load' as _load_id,
            7 as _position
    ) as not_given

)

select *
from cases
where got is distinct from expected
