{# Incremental strategies that write only the rows that are not as they were, with the number of
   the build in `_build`: whoever reads them sees what is new. A set of such rows is the one
   from before if it has as many rows and the same newest `_build`. #}

{# The SQL by which the strategy of this model writes what was worked out. #}
{% macro strategy_sql(target, made, columns) -%}
    {%- set strategy = context['get_incremental_' ~ config.get('incremental_strategy') | replace('+', '_') ~ '_sql'] -%}
    {{ return(strategy({
        'target_relation': target,
        'temp_relation': made,
        'unique_key': config.get('unique_key'),
        'dest_columns': columns,
    })) }}
{%- endmacro %}


{# What strategies come to: rows of the table (`kept`) for which one of the conditions `gone` holds
   go, and those worked out (`made`) come. Where `same` says which are the same, these stay. #}
{% macro replace_rows(arg_dict, gone, same=none) -%}
    {{ return(adapter.dispatch('replace_rows', 'ace_warehouse')(arg_dict, gone, same)) }}
{%- endmacro %}


{% macro default__replace_rows(arg_dict, gone, same) -%}
    {%- set target, temp = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- for condition in gone -%}
    delete from {{ target }} as kept
    where {{ condition }}
        {%- if same %}
        and not exists (select 1 from {{ temp }} as made where {{ same }})
        {%- endif -%};

    {% endfor -%}
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ temp }} as made
    {%- if same %}
    where not exists (select 1 from {{ target }} as kept where {{ same }})
    {%- endif -%}
{%- endmacro %}


{# Rows in `scope` (conditions, of which one holds) that are not among those worked out as they are
   go, and those that are not there yet come. #}
{% macro write_differences(arg_dict, scope) %}
    {%- set names = arg_dict['dest_columns'] | map(attribute='name') | map('lower') | list -%}
    {%- set key = [arg_dict['unique_key']] if arg_dict['unique_key'] is string else arg_dict['unique_key'] -%}
    {%- set same = [] -%}
    {%- for name in key -%}{%- do same.append('kept.' ~ name ~ ' = made.' ~ name) -%}{%- endfor -%}
    {%- for name in names if name not in key + ['_build'] -%}
        {%- set name = adapter.quote(name) -%}
        {%- do same.append('kept.' ~ name ~ ' is not distinct from made.' ~ name) -%}
    {%- endfor -%}
    {{ replace_rows(arg_dict, gone=scope, same=same | join('\n        and ')) }}
{% endmacro %}


{# For models that are worked out whole. #}
{% macro get_incremental_differences_sql(arg_dict) %}
    {{ write_differences(arg_dict, ['true']) }}
{% endmacro %}


{# For models that work out the rows of changed posts (changed_posts). #}
{% macro get_incremental_differences_by_post_sql(arg_dict) %}
    {%- set also = [] -%}
    {%- for name in config.get('meta', {}).get('also_changed', []) -%}{%- do also.append(ref(name)) -%}{%- endfor %}
    {%- set scope -%}
        kept.post_id in (
            select post_id from {{ arg_dict['temp_relation'] }}
            union
            {{ changed_posts(also=also) }}
        )
    {%- endset -%}
    {{ write_differences(arg_dict, [scope, post_is_gone('kept')]) }}
{% endmacro %}


{# For models that work out the rows of stale posts: of `unique_key` post_id, which they share
   with int_feature_identity. #}
{% macro get_incremental_stale_posts_sql(arg_dict) %}
    {{ replace_rows(arg_dict, gone=[
        'kept.post_id in (select post_id from ' ~ arg_dict['temp_relation'] ~ ')',
        'kept.post_id not in (select post_id from ' ~ ref('int_feature_identity') ~ ')',
    ]) }}
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
    {{ write_differences(arg_dict, [scope]) }}
{% endmacro %}
