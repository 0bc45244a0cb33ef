{%- set names_of_post = ['given_post_id', 'platform', 'external_post_id'] -%}
{%- set measured = [
    'views', 'likes', 'comments', 'shares', 'watch_time_ms', 'completion_rate',
    'collected_at', 'counts_as_written', 'told',
] -%}
{%- set columns = names_of_post + measured + ['post_id'] -%}

{{ looked_up_by(['metric_id', '_natural', '_source_key', 'post_id']) }}

with

{% if is_incremental() -%}
-- Polls of a post that changed since this table was last built, by whatever they name it.
woken as (
    {{ woken_by(ref('int_published_posts'), 'post_id') }}
    union
    {{ woken_by(ref('int_published_posts'), 'given_post_id', '_source_key') }}
    union
    {{ woken_by(ref('int_published_posts'), 'given_post_id', '_natural') }}
    union
    {{ woken_by(ref('int_published_posts'), ['platform', 'external_post_id']) }}

),

{% endif -%}
arrived as (
    {{ arrived(
        'performance_metrics', 'metric_id', names_of_post + measured, woken='woken', natural=true
    ) }}

),

-- A poll names its post by a key, perhaps one that lost to another, or by platform and external
-- id, which is to say by the post's derived key.
polls as {{ rows_of_changed() }} (

    select
        *,
        {{ derived_key('published_posts', [escaped('platform'), escaped('external_post_id')]) }}
            as derived_post_id
    from arrived

),

{% if is_incremental() -%}
references_to_posts as (

    select given_post_id as reference_id
    from polls
    where given_post_id is not null
    union
    select derived_post_id as reference_id
    from polls
    where derived_post_id is not null

),

{% endif -%}
posts_by_reference as (
    {{ names_of(
        'published_posts', 'post_id',
        among='references_to_posts' if is_incremental() else none
    ) }}

),

resolved as (

    select
        polls.*,
        coalesce(by_key.post_id, by_name.post_id) as known_post_id
    from polls
    left join posts_by_reference as by_key on polls.given_post_id = by_key.reference_id
    left join posts_by_reference as by_name on polls.derived_post_id = by_name.reference_id

),

-- A poll is one of a post at a time, whoever tells of it. A full build keeps this one copy of all
-- polls in memory; whoever reads what follows computes it from here.
named as {{ computed_once() }} (

    select
        *,
        coalesce(known_post_id, given_post_id) as post_id,
        {{ derived_key(
            'performance_metrics', ['known_post_id', epoch_us('coalesce(collected_at, _known_at)')]
        ) }} as _natural
    from resolved

),

keyed as {{ read_in_place() }} (
    {{ keyed_by_nature('named', 'performance_metrics', 'metric_id', columns) }}

),

candidates as {{ read_in_place() }} (
    {{ with_rows_of_their_keys(
        'keyed', 'metric_id', ['_natural', 'metric_id'] + columns, natural=true
    ) }}

),

found as {{ read_in_place() }} (

    select
        candidates.*,
        candidates.given_post_id is not null
        or (candidates.platform is not null and candidates.external_post_id is not null)
            as names_a_post,
        case
            when candidates.post_id is null
            then candidates.platform || '/' || candidates.external_post_id
        end as unknown_post,
        posts.published_at,
        posts._valid_from as post_known_at
    from candidates
    left join {{ ref('int_published_posts') }} as posts
        on candidates.post_id = posts.post_id
        and posts._verdict = 'accepted'

),

judged as {{ read_in_place() or computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when not names_a_post then 'missing_required: post_id' end,
            case when names_a_post and post_known_at is null then 'missing_parent: post_id' end,
            case when {{ impossible_count('views') }} then 'out_of_range: views' end,
            case when {{ impossible_count('likes') }} then 'out_of_range: likes' end,
            case when {{ impossible_count('comments') }} then 'out_of_range: comments' end,
            case when {{ impossible_count('shares') }} then 'out_of_range: shares' end,
            case
                when {{ impossible_count('watch_time_ms') }} then 'out_of_range: watch_time_ms'
            end,
            case when {{ impossible_time('collected_at') }} then 'out_of_range: collected_at' end,
            case
                when coalesce(collected_at, _known_at)
                    < published_at - interval '{{ var("early_poll_minutes") }}' minute
                then 'out_of_range: collected_at'
            end
        ) as faults,
        case
            when post_known_at is null
            then 'published_posts '
                || coalesce({{ as_text('given_post_id') }}, platform || '/' || external_post_id)
        end as _missing_reference,
        greatest(_known_at, post_known_at) as known_since
    from found

),

{{ verdicts(
    'judged',
    key='metric_id',
    columns=['_natural', 'metric_id'] + columns,
    compared=measured + ['post_id', 'unknown_post'],
    referenced=false,
) }}
