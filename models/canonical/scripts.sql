with

versions as (

    select * from {{ ref('int_scripts') }}

),

accepted as (

    select
        script_id,
        product_id,
        script_text,
        creative_variables,
        coalesce(created_at, _first_known_at) as created_at
    from versions
    where _verdict = 'accepted'

)

select * from accepted
