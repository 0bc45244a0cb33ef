with

forecasts as (

    select * from {{ ref('int_forecasts') }}

),

final as (

    select
        post_id,
        from_hours,
        target_hours,
        platform,
        from_views,
        predicted,
        lo80,
        hi80,
        n_train,
        method,
        crosses_break,
        known_at,
        from_age_hours as latest_age_hours,
        cast(from_views as bigint) as latest_views
    from forecasts
    where is_pending

)

select * from final
