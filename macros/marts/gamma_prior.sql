{# Priors by moments: what a rate is before anything is known of it, taken from how the
   rates of many posts differ. Everything is divided by the means first, so that no count,
   however large, leaves the range of exact_sum. #}

{# One post's share in the spread of a gamma-Poisson: its exposure against the mean
   exposure times the square of how far its rate is from the mean rate, in mean rates.
   To be summed over posts. #}
{% macro gamma_spread(events, exposure, mean_rate, mean_exposure) -%}
    {%- set apart = '(' ~ ratio(ratio(events, exposure), mean_rate) ~ ' - 1)' -%}
    ({{ ratio(exposure, mean_exposure) }} * {{ apart }} * {{ apart }})
{%- endmacro %}


{# How much the true rates differ, as variance over squared mean: the spread a post has on
   average less what chance alone gives it (phi of Marshall over the squared mean). At or
   below 0 nothing but chance is to be seen. #}
{% macro gamma_excess(spread, posts, mean_rate, mean_exposure) -%}
    ({{ ratio(spread, posts) }} - {{ ratio('1', mean_rate ~ ' * ' ~ mean_exposure) }})
{%- endmacro %}


{# Rate (weight in units of exposure) of the gamma prior; its shape is the mean times it.
   Where only chance is to be seen, and at most, a million: full pooling. #}
{% macro gamma_prior_rate(excess, mean_rate) -%}
    (case
        when {{ excess }} * {{ mean_rate }} > 1e-6 then 1 / ({{ excess }} * {{ mean_rate }})
        else cast(1000000 as {{ type_double() }})
    end)
{%- endmacro %}


{# Weight in trials (alpha + beta) of the beta prior: 1 / rho - 1, where rho is the
   correlation of two trials of one post, from the spread sum n (y / n - p)^2. At least 2;
   a million, full pooling, where rho is not above 0. #}
{% macro beta_prior_weight(spread, posts, trials, squared_trials, p) -%}
    {%- set over_chance = '(' ~ ratio(spread, p ~ ' * (1 - ' ~ p ~ ')') ~ ' - (' ~ posts ~ ' - 1))' -%}
    {%- set most = '(' ~ trials ~ ' - ' ~ squared_trials ~ ' - (' ~ posts ~ ' - 1))' -%}
    (case
        when {{ over_chance }} > 1e-6 * {{ most }} and {{ most }} > 0
            then greatest({{ most }} / {{ over_chance }} - 1, 2)
        else cast(1000000 as {{ type_double() }})
    end)
{%- endmacro %}
