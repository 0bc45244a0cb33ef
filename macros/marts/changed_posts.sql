{# Incremental marts about posts: the posts that changed since this model last ran are
   deleted and built anew, whole. What it has consumed is recorded in its own
   transaction, so a build that fails or is killed loses no change. #}

{% macro consumed_build() -%}
    (select coalesce(max(build), 0) from {{ meta('consumed') }} where model = '{{ this.identifier }}')
{%- endmacro %}


{# Post-hook: everything up to this build is in the model now, or up to where the
   incremental models it reads (`reads`) had come, when only some were selected. #}
{% macro record_consumed(reads=[]) -%}
    {%- set so_far -%}
        {%- if reads -%}
        least({{ build_number() }}, (
            select min(build) from {{ meta('consumed') }} where model in ('{{ reads | join("', '") }}')
        ))
        {%- else -%}{{ build_number() }}{%- endif -%}
    {%- endset -%}
    {#- On Spark a build is kept as a whole, or not at all: `ace build` says what the one before made. #}
    {%- if target.type != 'spark' %}
    delete from {{ meta('consumed') }} where model = '{{ this.identifier }}';
    insert into {{ meta('consumed') }} select '{{ this.identifier }}', {{ so_far }}
    {%- endif %}
{%- endmacro %}


{# Select of the posts to build: all of them on a full build. `also` are models like
   post_changes, for those that depend on more than the post and its polls. #}
{% macro changed_posts(also=[]) -%}
    {%- if not execute -%}
        {#- dbt reads the references of both branches off the first rendering. #}
        {%- do ref('post_changes') -%}{%- do ref('accepted_published_posts') -%}
    {%- endif -%}
    {%- if is_incremental() -%}
    {{ posts_changed_since([ref('post_changes')] + also) }}
    {%- else %}
    select post_id
    from {{ ref('accepted_published_posts') }}
    {%- endif %}
{%- endmacro %}


{# Select of the posts that `changes` name since this model last ran. Nothing changes while a
   model runs, so what it has consumed and how many posts that makes are written out as numbers:
   engines then skip what is older, and join the few with the many the right way round (DuckDB
   takes a fifth of a table to meet any condition, but a `limit` at its word). A text among
   `changes` names a CTE of the model, which cannot be counted before, no more than the rows that
   a unit test gives. #}
{% macro posts_changed_since(changes) -%}
    {%- set consumed = run_query('select ' ~ consumed_build()).rows[0][0] -%}
    {%- set posts -%}
    select distinct post_id
        from (
            {%- for model in changes if model is not string %}
            select post_id from {{ model }} where _build > {{ consumed }}
            {{- '\n            union all' if not loop.last }}
            {%- endfor %}
        ) as changes
    {%- endset -%}
    select post_id
    from (
        {{ posts }}
        {#- Spark goes by what a step gave, and would only count what it reads next. #}
        {%- if target.type != 'spark' and '__dbt__cte__' not in posts %}
        limit {{ run_query('select count(*) from (' ~ posts ~ ') as posts').rows[0][0] }}
        {%- endif %}
    ) as posts
    {%- for cte in changes if cte is string %}
    union
    select post_id from {{ cte }} where _build > {{ consumed }}
    {%- endfor %}
{%- endmacro %}


{# How a model is made that says in which builds something changed. On Spark, which would work a
   view out for each of its many readers, a table of what no model has consumed yet: there all of
   them have come as far. #}
{% macro kept_changes() -%}
    {{ return('table' if target.type == 'spark' else 'view') }}
{%- endmacro %}


{% macro where_not_consumed() -%}
    {%- if target.type == 'spark' and execute -%}
    where _build > {{ run_query('select ' ~ consumed_build()).rows[0][0] }}
    {%- endif -%}
{%- endmacro %}


{# The CTE `changed` of an incremental build, which a full one does without. #}
{% macro with_changed_posts(also=[]) -%}
    {%- set posts = changed_posts(also) -%}
    {%- if is_incremental() -%}
changed as {{ computed_once() }} (

    {{ posts }}

),

{% endif -%}
{%- endmacro %}


{# On an incremental build: only rows of the posts in the CTE `changed`. A full one reads all. #}
{% macro where_changed(post_id='post_id') -%}
    {%- if is_incremental() -%}
    where {{ post_id }} in (select changed.post_id from changed)
    {%- endif -%}
{%- endmacro %}


{% macro and_changed(post_id='post_id') -%}
    {{ where_changed(post_id) | replace('where ', 'and ', 1) }}
{%- endmacro %}


{# Marks a CTE of rows of changed posts that is read several times. The few of an incremental
   build are found once; a full build keeps no copy of a table in memory: each reader scans the
   columns it needs. #}
{% macro rows_of_changed() -%}
    {{ return(computed_once() if is_incremental() else inlined()) }}
{%- endmacro %}


{# Condition: the post of a row is gone altogether, since its key lost to another. It looks only
   when some post changed at all. #}
{% macro post_is_gone(rows) -%}
    {%- set changed -%}
        select 1 from {{ ref('post_changes') }}
            where changed = 'post' and _build > {{ consumed_build() }}
    {%- endset -%}
    {%- if target.type == 'spark' -%}
        {#- Sail does not plan both questions at once. -#}
        {{ rows }}.post_id not in (select post_id from {{ ref('accepted_published_posts') }})
        and {{ 'true' if run_query(changed ~ ' limit 1').rows else 'false' }}
    {%- else -%}
    exists (
            {{ changed }}
        )
        and not exists (
            select 1 from {{ ref('accepted_published_posts') }} as posts
            where posts.post_id = {{ rows }}.post_id
        )
    {%- endif -%}
{%- endmacro %}


{# The incremental strategy of these models. #}
{% macro get_incremental_by_post_sql(arg_dict) %}
    {%- set worked_out -%}
        kept.post_id in (
            select post_id from {{ arg_dict['temp_relation'] }}
            union
            {{ changed_posts() }}
        )
    {%- endset -%}
    {{ replace_rows(arg_dict, gone=[worked_out, post_is_gone('kept')]) }}
{% endmacro %}
