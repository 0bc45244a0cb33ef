{%- set columns = [
    'experiment_id', 'platform', 'external_post_id', 'published_at', 'caption', 'hashtags',
    'workflow_id', 'correlation_id', 'created_at',
] -%}

{# A post waits until a day before it is published (but for metrics that come early); one without
   a name on its platform waits for that. #}
{%- set due = in_array("'not_published_yet'", '_reasons') ~ " and external_post_id is not null"
    ~ " and published_at - interval '24' hour <=" %}
{{ config(meta={'due': due}) }}
{{ looked_up_by(['post_id', '_natural', '_source_key', '_changed_build', 'experiment_id']) }}

with

{% if is_incremental() -%}
-- Posts whose experiment changed since this table was last built, or whose time has come.
woken as (
    {{ woken_by(ref('int_experiments'), 'experiment_id') }}
    union
    select
        existing._load_id,
        existing._position
    from {{ this }} as existing
    where {{ due }} {{ as_of() }}

),

{% endif -%}
arrived as (
    {{ arrived('published_posts', 'post_id', columns, woken='woken', natural=true) }}

),

-- A post is one of a platform, whoever tells of it; a draft has no name there yet.
named as {{ computed_once() }} (

    select
        *,
        {{ derived_key('published_posts', [escaped('platform'), escaped('external_post_id')]) }}
            as _natural
    from arrived

),

keyed as (
    {{ keyed_by_nature('named', 'published_posts', 'post_id', columns, anchored=true) }}

),

candidates as (
    {{ with_rows_of_their_keys(
        'keyed', 'post_id', ['_natural', 'post_id'] + columns, natural=true, named=true
    ) }}

),

found as (

    select
        candidates.*,
        candidates.published_at - interval '24' hour as due_at,
        experiments._valid_from as experiment_known_at
    from candidates
    left join {{ ref('int_experiments') }} as experiments
        on candidates.experiment_id = experiments.experiment_id
        and experiments._verdict = 'accepted'

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when experiment_id is null then 'missing_required: experiment_id' end,
            case when platform is null then 'missing_required: platform' end,
            case
                when experiment_id is not null and experiment_known_at is null
                then 'missing_parent: experiment_id'
            end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end,
            -- `all` is no platform: it is how marts call their rows about all platforms.
            case when platform = 'all' then 'out_of_range: platform' end,
            case when published_at < {{ earliest_time() }} then 'out_of_range: published_at' end,
            case
                when external_post_id is null or published_at is null or due_at > {{ as_of() }}
                then 'not_published_yet'
            end
        ) as faults,
        case
            when experiment_known_at is null then 'experiments ' || {{ as_text('experiment_id') }}
        end as _missing_reference,
        greatest(_known_at, due_at, experiment_known_at) as known_since
    from found

),

{{ verdicts(
    'judged',
    key='post_id',
    columns=['_natural', 'post_id'] + columns,
    compared=columns,
    state=['published_at'],
) }}
