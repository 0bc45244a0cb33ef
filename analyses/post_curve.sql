{#
How did one post grow, poll by poll?

Parameter: post, its id on the platform or its post_id (the most viewed one, if not given).
`views_mono` is the running maximum, which platforms' corrections do not lower; where
`is_decrease`, the platform took views away. `gap_hours` is the time since the poll before.

Chart: line x=age_hours y=views_mono
#}
with

chosen as (

    select
        post_id,
        external_post_id
    from {{ ref('post_performance') }}
    where '{{ var("post", "") }}' in (
            '', external_post_id, cast(post_id as text)
        )
    order by views desc nulls last, post_id asc
    limit 1

)

select
    chosen.external_post_id,
    polls.age_hours,
    polls.collected_at,
    polls.views,
    polls.views_mono,
    polls.views_per_hour,
    polls.gap_hours,
    polls.is_decrease
from chosen
inner join {{ ref('post_metric_history') }} as polls on chosen.post_id = polls.post_id
order by polls.collected_at
