{# How much groups differ from each other and values within a group, and what that makes of
   a group's values. #}

{# Variance within groups, by one-way analysis of variance: from the number of values and of
   groups, the sum of the values' squares, and the sum over groups of total * total / n. #}
{% macro variance_within(n, groups, squares, group_squares) -%}
    (({{ squares }} - {{ group_squares }}) / ({{ n }} - {{ groups }}))
{%- endmacro %}


{# Variance of the groups' true means, of the same sums, the sum of all values and the sum
   over groups of n * n; below 0 where the means differ less than chance would have them. #}
{% macro variance_between(n, groups, total, squares, group_squares, n_squares) -%}
    (
        (
            ({{ group_squares }} - {{ total }} * {{ total }} / {{ n }}) / ({{ groups }} - 1)
            - {{ variance_within(n, groups, squares, group_squares) }}
        ) / (({{ n }} - {{ n_squares }} / {{ n }}) / ({{ groups }} - 1))
    )
{%- endmacro %}


{# Weight (rate) of the gamma distribution with that mean and variance, where nothing is taken
   to differ by less than least_spread of the mean. #}
{% macro gamma_weight(mean, variance) -%}
    ({{ mean }} / greatest(
        {{ variance }}, {{ var('least_spread') ** 2 }} * {{ mean }} * {{ mean }}
    ))
{%- endmacro %}


{# Mean of a normal posterior: `n` values that add up to `total` and scatter with `variance`,
   under a prior. #}
{% macro normal_posterior_mean(n, total, variance, prior_mean, prior_variance) -%}
    (
        ({{ total }} / {{ variance }} + {{ prior_mean }} / {{ prior_variance }})
        / ({{ n }} / {{ variance }} + 1 / {{ prior_variance }})
    )
{%- endmacro %}


{# Deviation of that posterior. #}
{% macro normal_posterior_deviation(n, variance, prior_variance) -%}
    sqrt(1 / ({{ n }} / {{ variance }} + 1 / {{ prior_variance }}))
{%- endmacro %}


{# Variance of the difference of two means of `n` values each, from the means and the sums of
   squares. #}
{% macro difference_variance(n, mean, squares, other_mean, other_squares) -%}
    ((
        greatest({{ squares }} - {{ n }} * {{ mean }} * {{ mean }}, 0)
        + greatest({{ other_squares }} - {{ n }} * {{ other_mean }} * {{ other_mean }}, 0)
    ) / (({{ n }} - 1) * {{ n }}))
{%- endmacro %}
