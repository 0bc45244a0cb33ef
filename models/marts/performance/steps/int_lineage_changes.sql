{{ config(materialized=kept_changes()) }}

{# In which builds what a post was made from changed: incremental models that hold a post's
   lineage make these posts anew, as those of post_changes. #}
with

posts as {{ inlined() }} (

    select * from {{ ref('accepted_published_posts') }}

),

experiments as {{ inlined() }} (

    select * from {{ ref('accepted_experiments') }}

),

{# A script that was deleted is named by an older version only, and still is what was used. #}
scripts_named as (

    select distinct
        experiment_id,
        script_id
    from {{ ref('valid_experiments') }}
    where script_id is not null

),

scripts as {{ inlined() }} (

    select * from {{ ref('accepted_scripts') }}

),

patterns as {{ inlined() }} (

    select * from {{ ref('accepted_creative_patterns') }}

),

final as (

    select
        posts.post_id,
        'experiment' as changed,
        experiments._build
    from posts
    inner join experiments on posts.experiment_id = experiments.experiment_id
    union all
    select
        posts.post_id,
        'script' as changed,
        scripts._build
    from posts
    inner join scripts_named on posts.experiment_id = scripts_named.experiment_id
    inner join scripts on scripts_named.script_id = scripts.script_id
    union all
    select
        posts.post_id,
        'pattern' as changed,
        patterns._changed_build as _build
    from posts
    inner join scripts_named on posts.experiment_id = scripts_named.experiment_id
    inner join scripts on scripts_named.script_id = scripts.script_id
    inner join patterns
        on lower({{ json_text('scripts.creative_variables', 'creativePatternId') }})
        = cast(patterns.pattern_id as {{ type_text() }})

)

select * from final
{{ where_not_consumed() }}
