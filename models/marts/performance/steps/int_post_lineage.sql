{{ config(
    materialized='incremental',
    incremental_strategy='by_post',
    unique_key='post_id',
    on_schema_change='fail',
    post_hook="{{ record_consumed() }}",
) }}

{# What a post was made from: the experiment's last known product, script and asset (a
   deleted script is set to null in the source, its last value is what was used) and the
   pattern its script names, when there is such a pattern. #}
with

{{ with_changed_posts(also=[ref('int_lineage_changes')]) -}}
posts as (

    select * from {{ ref('accepted_published_posts') }}
    {{ where_changed() }}

),

experiment_versions as (

    select * from {{ ref('valid_experiments') }}

),

experiments as (

    select * from experiment_versions
    where is_accepted

),

{# Nearly always what the experiment names now; else what it named last. -#}
{% for column in ['script_id', 'asset_id'] -%}
last_{{ column }} as (

    select
        experiment_id,
        {{ column }},
        known_at
    from experiments
    where {{ column }} is not null
    union all
    select
        experiment_id,
        {{ column }},
        known_at
    from (
        select
            experiment_id,
            {{ column }},
            known_at,
            row_number() over (
                partition by experiment_id order by _known_at desc, _load_id desc, _position desc
            ) as choice
        from experiment_versions
        where {{ column }} is not null
            and experiment_id in (
                select experiments.experiment_id from experiments
                where experiments.{{ column }} is null
            )
    ) as ranked
    where choice = 1

),

{% endfor -%}
scripts as (

    select
        script_id,
        known_at,
        creative_variables
    from {{ ref('accepted_scripts') }}

),

patterns as (

    select
        pattern_id,
        _valid_from
    from {{ ref('accepted_creative_patterns') }}

),

final as (

    select
        posts.post_id,
        experiments.product_id,
        last_script_id.script_id,
        last_asset_id.asset_id,
        patterns.pattern_id,
        experiments.hypothesis,
        experiments.variation_label,
        greatest(
            posts.known_at,
            experiments.known_at,
            last_script_id.known_at,
            last_asset_id.known_at,
            case when patterns.pattern_id is not null then scripts.known_at end,
            patterns._valid_from
        ) as known_at
    from posts
    inner join experiments on posts.experiment_id = experiments.experiment_id
    left join last_script_id on experiments.experiment_id = last_script_id.experiment_id
    left join last_asset_id on experiments.experiment_id = last_asset_id.experiment_id
    left join scripts on last_script_id.script_id = scripts.script_id
    left join patterns
        on lower({{ json_text('scripts.creative_variables', 'creativePatternId') }})
        = cast(patterns.pattern_id as {{ type_text() }})

)

select * from final
