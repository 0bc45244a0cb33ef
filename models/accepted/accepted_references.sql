{# Every accepted row that another can name, by the key that leads to it. #}
with

named as (

    select * from {{ ref('int_references') }}

),

final as (

    select
        table_name,
        reference_id,
        valid_from
    from named
    where is_accepted

)

select * from final
