{# Incremental strategies that write only the rows that are not as they were, with the number of
   the build in `_build`: whoever reads them sees what is new. A set of such rows is the one
   from before if it has as many rows and the same newest `_build`. #}

{# The end of a strategy that has deleted what was worked out anew. #}
{% macro insert_made(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}


{# Deletes the rows of `target` in `scope` (a condition) that are not in `temp` as they are,
   and inserts those of `temp` that are not there yet. #}
{% macro write_differences(arg_dict, scope) %}
    {%- set target, temp = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set names = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set key = [arg_dict['unique_key']] if arg_dict['unique_key'] is string else arg_dict['unique_key'] -%}
    {%- set is_same -%}
        {%- for name in key %}kept.{{ name }} = made.{{ name }} and {% endfor -%}
        {%- for name in names if name | lower | replace('"', '') not in key + ['_build'] -%}
        kept.{{ name }} is not distinct from made.{{ name }}{{ ' and ' if not loop.last }}
        {%- endfor -%}
    {%- endset %}
    delete from {{ target }} as kept
    where {{ scope }}
        and not exists (select 1 from {{ temp }} as made where {{ is_same }});

    insert into {{ target }} ({{ names | join(', ') }})
    select {{ names | join(', ') }} from {{ temp }} as made
    where not exists (select 1 from {{ target }} as kept where {{ is_same }})
{% endmacro %}


{# For models that are worked out whole. #}
{% macro get_incremental_differences_sql(arg_dict) %}
    {{ write_differences(arg_dict, 'true') }}
{% endmacro %}


{# For models that work out the rows of changed posts (changed_posts). #}
{% macro get_incremental_differences_by_post_sql(arg_dict) %}
    {%- set also = [] -%}
    {%- for name in config.get('meta', {}).get('also_changed', []) -%}{%- do also.append(ref(name)) -%}{%- endfor %}
    {%- set scope -%}
        (
            kept.post_id in (
                select post_id from {{ arg_dict['temp_relation'] }}
                union
                {{ changed_posts(also=also) }}
            )
            or ({{ post_is_gone('kept') }})
        )
    {%- endset -%}
    {{ write_differences(arg_dict, scope) }}
{% endmacro %}


{# For models that work out the rows of stale posts: of `unique_key` post_id, which they share
   with int_feature_identity. #}
{% macro get_incremental_stale_posts_sql(arg_dict) %}
    delete from {{ arg_dict['target_relation'] }}
    where post_id in (select post_id from {{ arg_dict['temp_relation'] }})
        or post_id not in (select post_id from {{ ref('int_feature_identity') }});

    {{ insert_made(arg_dict) }}
{% endmacro %}


{# Select of what embeddings that were decided since this model last ran stand for, now or in
   this table. Nothing but on an incremental build. #}
{% macro changed_references() -%}
    {%- if not execute -%}
        {#- dbt reads the references off the first rendering. #}
        {%- do ref('embedding_changes') -%}{%- do ref('accepted_embeddings') -%}
    {%- endif -%}
    {%- if is_incremental() -%}
    {%- set decided -%}
    select embedding_id from {{ ref('embedding_changes') }} where _build > {{ consumed_build() }}
    {%- endset -%}
    select
        reference_type,
        reference_id
    from {{ ref('accepted_embeddings') }}
    where embedding_id in ({{ decided }})
    union
    select
        reference_type,
        reference_id
    from {{ this }}
    where embedding_id in ({{ decided }})
    {%- endif -%}
{%- endmacro %}


{# For models that work out the embeddings of changed references. #}
{% macro get_incremental_differences_by_reference_sql(arg_dict) %}
    {%- set scope -%}
        (kept.reference_type, kept.reference_id) in ({{ changed_references() }})
    {%- endset -%}
    {{ write_differences(arg_dict, scope) }}
{% endmacro %}
