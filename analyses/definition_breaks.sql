{#
When did a platform change what it counts, and how many posts does it concern?

Values from before and after `changed_at` are never compared. `posts_before` and `posts_after`
were published on either side; `posts_across` were young when it happened, so that their
counts mix both meanings (crosses_break): read those alone.

Chart: bar x=posts_across y=platform+metric+changed_at
#}
select
    changes.platform,
    changes.metric,
    changes.changed_at,
    changes.change,
    count(*) filter (where posts.published_at < changes.changed_at) as posts_before,
    count(*) filter (where posts.published_at >= changes.changed_at) as posts_after,
    count(*) filter (
        where posts.published_at < changes.changed_at and posts.crosses_break
    ) as posts_across
from {{ ref('metric_definition_changes') }} as changes
left join {{ ref('post_performance') }} as posts on changes.platform = posts.platform
group by changes.platform, changes.metric, changes.changed_at, changes.change
order by changes.changed_at desc, changes.platform asc, changes.metric asc
