with

versions as (

    select * from {{ ref('int_published_posts') }}

),

final as (

    select
        post_id,
        experiment_id,
        platform,
        external_post_id,
        published_at,
        caption,
        hashtags,
        workflow_id,
        correlation_id,
        coalesce(created_at, _first_known_at) as created_at,
        _verdict = 'accepted' as is_accepted,
        {{ accepted_bookkeeping(state=true) }}
    from versions
    where _verdict in ('accepted', 'superseded')
        and _effective_at is not null

)

select * from final
