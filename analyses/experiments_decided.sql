{#
Which experiments lead or lose, by how much, and how sure is that?

`shrunk_views_lift` is the difference to expect against the product's other posts (0.2 is 20%
more views), between `views_lift_lo` and `views_lift_hi` in 95 of 100 cases. A status of
leading or losing holds however often somebody looks: the wider always_valid interval lies on
one side of nothing. Experiments without enough posts are not listed.

Chart: interval x=shrunk_views_lift lo=views_lift_lo hi=views_lift_hi y=script_begins+platform colour=status
#}
select
    results.platform,
    products.name as product,
    left(scripts.script_text, 60) as script_begins,
    results.status,
    results.log_views_n as posts_known,
    results.control_n,
    results.shrunk_views_lift,
    results.views_lift_lo,
    results.views_lift_hi,
    exp(results.always_valid_lo) - 1 as always_valid_views_lo,
    exp(results.always_valid_hi) - 1 as always_valid_views_hi,
    results.chance_to_win,
    results.experiment_id
from {{ ref('experiment_results') }} as results
inner join {{ ref('experiments') }} as experiments
    on results.experiment_id = experiments.experiment_id
left join {{ ref('scripts') }} as scripts on experiments.script_id = scripts.script_id
inner join {{ ref('products') }} as products on results.product_id = products.product_id
where results.status in ('leading', 'losing', 'inconclusive')
order by
    case results.status when 'leading' then 1 when 'losing' then 2 else 3 end asc,
    results.shrunk_views_lift desc nulls last,
    results.experiment_id asc,
    results.platform asc
