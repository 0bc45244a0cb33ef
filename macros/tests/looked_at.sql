{# Which rows a test of a big table looks at: those of whatever changed since the last build
   that passed. What a failed build left wrong is thus looked at again, until it passes. All
   rows on a full build, and after `ace build --force`, which forgets that any passed. #}


{# The number of the last build that passed all its tests; 0 where none did. As a number,
   for planners guess that as many rows are above a query's result as there are. #}
{% macro passed_build() -%}
    {%- if not execute -%}{{ return(0) }}{%- endif -%}
    {%- set passed = run_query('select coalesce(max(build), 0) from ' ~ meta('passed')) -%}
    {{ return(passed.rows[0][0] | int) }}
{%- endmacro %}


{# Select of the rows of `rows` whose `column` has a value that changed: `changed_in` are
   relations that say in which `_build` it did, and say so of everything that can change
   such a row, or make another the only one of its key. Rows without a value are looked at,
   too; all rows where `changed_in` is empty. #}
{% macro looked_at(rows, column=none, changed_in=[]) -%}
    {%- set passed = passed_build() -%}
    {%- if not changed_in or flags.FULL_REFRESH or passed == 0 -%}
    select * from {{ rows }}
    {%- else -%}
    {#- The second condition on builds adds nothing but a planner's idea of how few they are. #}
    select * from {{ rows }}
    where {{ column }} in (
            select {{ column }}
            from (
                {% for relation in changed_in -%}
                select {{ column }}, _build from {{ relation }} where _build > {{ passed }}
                {% if not loop.last %}union all {% endif %}
                {%- endfor %}
            ) as changes
            group by {{ column }}
            having max(_build) > {{ passed }}
        )
    union all
    select * from {{ rows }} where {{ column }} is null
    {%- endif -%}
{%- endmacro %}
