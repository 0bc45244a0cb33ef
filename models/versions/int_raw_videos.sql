{%- set columns = [
    'external_id', 'platform', 'caption', 'hashtags', 'author', 'view_count', 'like_count',
    'share_count', 'comment_count', 'collected_at', 'created_at',
] -%}
{%- set observed_at = 'coalesce(collected_at, created_at, _known_at)' -%}

{{ looked_up_by(['id', '_natural', '_source_key', '_changed_build']) }}

with

arrived as (
    {{ arrived('raw_videos', 'id', columns, natural=true) }}

),

-- An observation is one of a video at a time, whoever tells of it.
named as {{ computed_once() }} (

    select
        *,
        {{ derived_key(
            'raw_videos', [escaped('platform'), escaped('external_id'), epoch_us(observed_at)]
        ) }} as _natural
    from arrived

),

keyed as (
    {{ keyed_by_nature('named', 'raw_videos', 'id', columns) }}

),

candidates as (
    {{ with_rows_of_their_keys(
        'keyed', 'id', ['_natural', 'id'] + columns, natural=true, named=true
    ) }}

),

judged as {{ computed_once() }} (

    select
        *,
        concat_ws(
            ', ',
            case when platform is null then 'missing_required: platform' end,
            case when external_id is null then 'missing_required: external_id' end,
            case when {{ impossible_count('view_count') }} then 'out_of_range: view_count' end,
            case when {{ impossible_count('like_count') }} then 'out_of_range: like_count' end,
            case when {{ impossible_count('share_count') }} then 'out_of_range: share_count' end,
            case
                when {{ impossible_count('comment_count') }} then 'out_of_range: comment_count'
            end,
            case when {{ impossible_time('collected_at') }} then 'out_of_range: collected_at' end,
            case when {{ impossible_time('created_at') }} then 'out_of_range: created_at' end
        ) as faults,
        cast(null as {{ type_text() }}) as _missing_reference,
        _known_at as known_since
    from candidates

),

{{ verdicts(
    'judged',
    key='id',
    columns=['_natural', 'id'] + columns,
    compared=columns,
) }}
