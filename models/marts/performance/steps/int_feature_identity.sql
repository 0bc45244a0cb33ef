{{ config(
    materialized='incremental',
    incremental_strategy='differences',
    unique_key=['post_id'],
    on_schema_change='fail',
) }}

{# What a post was made from, as it was known when the post was out: never what its rows
   were corrected to afterwards. #}
with

posts as (

    select
        post_id,
        published_at
    from {{ ref('accepted_published_posts') }}

),

post_versions as (

    {{ known_versions(
        ref('valid_published_posts'), ['post_id'], ['platform', 'experiment_id', 'published_at']
    ) }}

),

{# The version that counted at publication, or the first one known after it. #}
published as (

    select *
    from (
        select
            post_versions.*,
            row_number() over (partition by post_id order by known_from) as choice
        from post_versions
        where known_to is null or known_to > published_at
    ) as public_versions
    where choice = 1

),

experiment_versions as (

    {{ known_versions(ref('valid_experiments'), ['experiment_id'], ['product_id']) }}

),

first_experiments as (

    select
        experiment_id,
        min(known_from) as known_from
    from experiment_versions
    group by experiment_id

),

with_script as (

    select * from {{ ref('valid_experiments') }}
    where script_id is not null

),

{# A script that was deleted is null in the source: the last one named was used. #}
experiment_scripts as (

    {{ known_versions('with_script', ['experiment_id'], ['script_id']) }}

),

script_versions as (

    {{ known_versions(ref('valid_scripts'), ['script_id'], ['creative_variables']) }}

),

patterns as (

    select
        pattern_id,
        _valid_from
    from {{ ref('accepted_creative_patterns') }}

),

{# Everything about the post is looked up at one moment: when it went out or, where its
   experiment was not known by then, when that was. #}
decided as (

    select
        published.post_id,
        published.platform,
        published.experiment_id,
        published.known_from,
        greatest(published.published_at, first_experiments.known_from) as decided_at
    from published
    inner join first_experiments on published.experiment_id = first_experiments.experiment_id

),

final as (

    select
        posts.post_id,
        decided.platform,
        posts.published_at,
        decided.experiment_id,
        experiment_versions.product_id,
        experiment_scripts.script_id,
        patterns.pattern_id,
        greatest(
            decided.known_from,
            experiment_versions.known_from,
            experiment_scripts.known_from,
            case when patterns.pattern_id is not null then script_versions.known_from end,
            patterns._valid_from
        ) as known_at,
        {{ build_number() }} as _build
    from posts
    inner join decided on posts.post_id = decided.post_id
    inner join experiment_versions
        on decided.experiment_id = experiment_versions.experiment_id
        and {{ counts_at('experiment_versions', 'decided.decided_at') }}
    left join experiment_scripts
        on decided.experiment_id = experiment_scripts.experiment_id
        and {{ counts_at('experiment_scripts', 'decided.decided_at') }}
    left join script_versions
        on experiment_scripts.script_id = script_versions.script_id
        and {{ counts_at('script_versions', 'decided.decided_at') }}
    left join patterns
        on lower({{ json_text('script_versions.creative_variables', 'creativePatternId') }})
        = cast(patterns.pattern_id as {{ type_text() }})
        and decided.decided_at >= patterns._valid_from

)

select * from final
