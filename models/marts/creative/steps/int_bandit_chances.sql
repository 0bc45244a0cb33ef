{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['product_id', 'platform'],
    on_schema_change='fail',
) }}

{#- Success rates are laid out on so many cells of 0 to 1. -#}
{%- set cells = 200 %}

with

{# Each distinct posterior is laid out once, however many arms have it. #}
distributions as (

    select
        product_id,
        platform,
        alpha,
        beta,
        count(*) as arms
    from {{ ref('int_bandit_posteriors') }}
    group by product_id, platform, alpha, beta

),

{% if is_incremental() -%}
kept as (

    select
        product_id,
        platform,
        alpha,
        beta,
        arms
    from {{ this }}

),

{# The chances of a product on a platform rest on its distributions alone: they are those of
   the last build where no distribution came and none went. -#}
changed as (

    select
        product_id,
        platform
    from (
        (
            select * from distributions
            except
            select * from kept
        )
        union all
        (
            select * from kept
            except
            select * from distributions
        )
    ) as differing
    group by product_id, platform

),

contenders as (

    select distributions.*
    from distributions
    inner join changed
        on distributions.product_id = changed.product_id
        and distributions.platform = changed.platform

),

{% else -%}
contenders as (

    select * from distributions

),

{% endif -%}
shapes as (

    select distinct
        alpha,
        beta
    from contenders

),

cells as (

    select cast(cell as {{ type_double() }}) as cell
    from (select {{ whole_numbers(0, cells - 1) }} as cell) as numbers

),

densities as (

    select
        shapes.alpha,
        shapes.beta,
        cells.cell,
        {{ beta_log_kernel('shapes.alpha', 'shapes.beta', '((cells.cell + 0.5) / ' ~ cells ~ ')') }}
            as log_density
    from shapes
    cross join cells

),

masses as (

    select
        alpha,
        beta,
        cell,
        cast(
            exp(
                greatest(log_density - max(log_density) over (partition by alpha, beta), -700)
            ) as decimal(38, 18)
        ) as mass
    from densities

),

{# Chance of each cell, and of lying below its middle. #}
curves as {{ computed_once() }} (

    select
        alpha,
        beta,
        cell,
        cast(mass as {{ type_double() }})
        / cast(sum(mass) over all_cells as {{ type_double() }}) as mass,
        greatest(
            (
                cast(sum(mass) over up_to_here as {{ type_double() }})
                - cast(mass as {{ type_double() }}) / 2
            )
            / cast(sum(mass) over all_cells as {{ type_double() }}), 1e-300
        ) as below
    from masses
    window
        all_cells as (partition by alpha, beta),
        up_to_here as (partition by alpha, beta order by cell rows unbounded preceding)

),

{# Every contender on every cell, and the chance that all arms of its product and platform lie
   below the cell's middle. #}
laid_out as {{ computed_once() }} (

    select
        contenders.product_id,
        contenders.platform,
        contenders.alpha,
        contenders.beta,
        contenders.arms,
        curves.mass,
        curves.below,
        {{ exact_sum_over(
            'contenders.arms * ln(curves.below)',
            'partition by contenders.product_id, contenders.platform, curves.cell',
        ) }} as log_below
    from contenders
    inner join curves
        on contenders.alpha = curves.alpha
        and contenders.beta = curves.beta

),

{# Times a mass, the smallest exponential must still be a double. #}
chances as (

    select
        product_id,
        platform,
        alpha,
        beta,
        arms,
        {{ exact_sum('mass * exp(greatest(log_below - ln(below), -600))', 18) }} as chance,
        {{ exact_sum('(below - exp(greatest(log_below, -600))) / ' ~ cells, 18) }}
            as expected_loss
    from laid_out
    group by product_id, platform, alpha, beta, arms

),

final as (

    select
        product_id,
        platform,
        alpha,
        beta,
        arms,
        chance
        / {{ exact_sum_over('arms * chance', 'partition by product_id, platform', 18) }}
            as chance_best,
        greatest(expected_loss, 0) as expected_loss
    from chances

)

select * from final
