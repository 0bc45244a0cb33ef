{#
How good are the forecasts, and are they better than what needs no method?

`median_ape` is the usual error as a share of what came (0.2 is 20%); `coverage80` should be
near 0.8: much less, and the intervals are too narrow to plan by. `saved_error` is how much
of the naive error (the account's median for every post) the forecast removes; 0 or less
means that it is not worth reading. `better_than_scaling` is how much of the squared error of
constant scaling from the same age is saved. Few posts (`n`) prove little either way.

Chart: bar x=median_ape y=from_hours+target_hours facet=platform
#}
select
    platform,
    from_hours,
    target_hours,
    n,
    median_ape,
    naive_median_ape,
    1 - median_ape / nullif(naive_median_ape, 0) as saved_error,
    mrse,
    naive_mrse,
    scaled_mrse,
    1 - mrse / nullif(scaled_mrse, 0) as better_than_scaling,
    spearman,
    naive_spearman,
    coverage80,
    abs(coverage80 - 0.8) <= 0.1 as intervals_hold
from {{ ref('forecast_accuracy') }}
order by target_hours, from_hours, platform
