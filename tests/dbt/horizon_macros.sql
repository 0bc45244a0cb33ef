{{ config(tags=['macros']) }}

{# Ages that only the seed or only the macros name: none. #}

with

named as (

    {%- for hours in age_horizons() %}
    select
        {{ hours }} as horizon_hours,
        'age_horizons' as named_by
    {{- '\n    union all' if not loop.last }}
    {% endfor %}
),

seeded as (

    select cast(horizon_hours as bigint) as horizon_hours from {{ ref('age_horizons') }}

)

select
    horizon_hours,
    named_by
from named
where horizon_hours not in (select seeded.horizon_hours from seeded)
union all
select
    horizon_hours,
    'age_horizons.csv' as named_by
from seeded
where horizon_hours not in (
        select named.horizon_hours from named
        where named.named_by = 'age_horizons'
    )
