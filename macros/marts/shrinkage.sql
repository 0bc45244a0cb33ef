{# Two-level gamma-Poisson shrinkage of rates: an arm (an experiment, a pattern, a post)
   is drawn toward its group, and the group toward its population, each as far as chance
   alone could explain the differences that are seen at that level.

   Body of a CTE. Reads the relation `arms`, one row for each arm, and returns `columns` of
   it beside

   - population_rate   pooled rate of the population
   - between_weight    pseudo-trials a group is drawn with toward its population; null when
                       the groups differ no more than chance would have them: fully pooled
   - group_rate        the group's rate, drawn toward the population's
   - within_weight     pseudo-trials an arm is drawn with toward its group; null: fully pooled
   - posterior_shape, posterior_rate   the gamma distribution of the arm's rate
   - rate_eb, rate_eb_lo, rate_eb_hi   its mean and 95% interval; never null

   Arms without trials have their group's rate, groups without trials their population's.
   Where every group has one arm there is one level. A population with fewer than
   `min_shrinkage_arms` arms with trials, or without a success, has one level too, with the
   weak prior of the vars fallback_shape and fallback_rate. #}
{% macro two_level_shrinkage(arms, columns, population, group_by, successes, trials) -%}
    {%- set double = type_double() -%}
    {%- set in_population = 'partition by ' ~ population | join(', ') -%}
    {%- set in_group = 'partition by ' ~ (population + group_by) | join(', ') -%}
    with

    counted as (

        select
            *,
            case when {{ trials }} > 0 then cast({{ trials }} as {{ double }}) else 0 end as arm_trials,
            case when {{ trials }} > 0 then cast(coalesce({{ successes }}, 0) as {{ double }}) else 0 end as arm_successes
        from {{ arms }}

    ),

    totals as (

        select
            *,
            arm_successes / nullif(arm_trials, 0) as arm_rate,
            {{ exact_sum_over('arm_trials', in_group) }} as group_trials,
            {{ exact_sum_over('arm_successes', in_group) }} as group_successes,
            {{ exact_sum_over('arm_trials', in_population) }} as all_trials,
            {{ exact_sum_over('arm_successes', in_population) }} as all_successes,
            count(case when arm_trials > 0 then 1 end) over ({{ in_population }}) as arm_count,
            arm_trials > 0 and row_number() over ({{ in_group }} order by arm_trials desc) = 1 as stands_for_group
        from counted

    ),

    pooled as (

        select
            *,
            arm_count < {{ var('min_shrinkage_arms') }} or all_successes = 0 as is_weak,
            all_successes / nullif(all_trials, 0) as pooled_rate,
            group_successes / nullif(group_trials, 0) as raw_group_rate,
            count(case when stands_for_group then 1 end) over ({{ in_population }}) as group_count
        from totals

    ),

    spread as (

        select
            *,
            {{ exact_sum_over('arm_trials * (arm_rate - raw_group_rate) * (arm_rate - raw_group_rate)', in_population) }} as within_squares,
            {{ exact_sum_over('arm_trials * (arm_trials / nullif(group_trials, 0))', in_population) }} as within_evenness,
            {{ exact_sum_over('case when stands_for_group then group_trials * (raw_group_rate - pooled_rate) * (raw_group_rate - pooled_rate) end', in_population) }} as between_squares,
            {{ exact_sum_over('case when stands_for_group then group_trials * (group_trials / all_trials) end', in_population) }} as between_evenness
        from pooled

    ),

    {# How much the true rates differ within and between groups, over what chance adds. #}
    variances as (

        select
            *,
            case
                when arm_count > group_count
                    then greatest((within_squares - pooled_rate * (arm_count - group_count)) / (all_trials - within_evenness), 0)
            end as phi_within,
            case
                when group_count > 1
                    then greatest((between_squares - pooled_rate * (group_count - 1)) / (all_trials - between_evenness), 0)
            end as phi_between
        from spread

    ),

    weights as (

        select
            *,
            case
                when is_weak then ({{ var('fallback_shape') }} + all_successes) / ({{ var('fallback_rate') }} + all_trials)
                else pooled_rate
            end as population_rate,
            case when not is_weak then pooled_rate / nullif(phi_between, 0) end as between_weight,
            case
                when is_weak then cast({{ var('fallback_rate') }} as {{ double }})
                else pooled_rate / nullif(phi_within, 0)
            end as within_weight
        from variances

    ),

    groups as (

        select
            *,
            case
                when is_weak or between_weight is null then population_rate
                else (group_successes + between_weight * population_rate) / (group_trials + between_weight)
            end as group_rate
        from weights

    ),

    posteriors as (

        select
            *,
            case
                when within_weight is not null then arm_successes + within_weight * group_rate
                when between_weight is not null then group_successes + between_weight * population_rate
                else all_successes
            end as posterior_shape,
            case
                when within_weight is not null then arm_trials + within_weight
                when between_weight is not null then group_trials + between_weight
                else all_trials
            end as posterior_rate
        from groups

    )

    select
        {{ columns | join(',\n        ') }},
        population_rate,
        between_weight,
        group_rate,
        within_weight,
        posterior_shape,
        posterior_rate,
        posterior_shape / posterior_rate as rate_eb,
        least({{ gamma_quantile('posterior_shape', 'posterior_rate', '-' ~ z95()) }}, posterior_shape / posterior_rate) as rate_eb_lo,
        greatest({{ gamma_quantile('posterior_shape', 'posterior_rate', z95()) }}, posterior_shape / posterior_rate) as rate_eb_hi
    from posteriors
{%- endmacro %}


{# Window expression: sum of doubles over a whole partition, the same for every order of
   its rows; 0 when there is nothing to add up. #}
{% macro exact_sum_over(expression, window, scale=12) -%}
    coalesce(cast(sum(cast({{ expression }} as decimal(38, {{ scale }}))) over ({{ window }}) as {{ type_double() }}), 0)
{%- endmacro %}
