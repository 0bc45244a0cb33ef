{# Platforms change what a view is. Values from before and after such a break are not
   compared with each other. #}

{# How many changes of what `platform` counts as a view were in force at `at`. Posts of
   different eras are different populations. #}
{% macro definition_era(platform, at) -%}
    {%- if target.type == 'spark' -%}
        ({{ known_breaks(platform, [at ~ ' >= BREAK']) }})
    {%- else -%}
    (
        select count(*) from {{ ref('metric_definition_changes') }} as changes
        where changes.platform = {{ platform }}
            and changes.metric = 'views'
            and changes.changed_at <= {{ at }}
    )
    {%- endif -%}
{%- endmacro %}


{# Whether what `platform` counts as a view changed after `starts_at` and not after
   `ends_at`; false when either is null. #}
{% macro crosses_break(platform, starts_at, ends_at) -%}
    {%- if target.type == 'spark' -%}
        ({{ known_breaks(platform, [starts_at ~ ' < BREAK', ends_at ~ ' >= BREAK']) }} > 0)
    {%- else -%}
    exists (
        select 1 from {{ ref('metric_definition_changes') }} as changes
        where changes.platform = {{ platform }}
            and changes.metric = 'views'
            and changes.changed_at > {{ starts_at }}
            and changes.changed_at <= {{ ends_at }}
    )
    {%- endif -%}
{%- endmacro %}


{# On Spark: how many breaks of `platform` meet the conditions, each written out. It takes no
   subquery whose rows are chosen by an inequality with the row outside. #}
{% macro known_breaks(platform, conditions) -%}
    {%- set counted = ['cast(0 as bigint)'] -%}
    {%- for of, at in breaks_written() -%}
        {%- do counted.append(
            '(case when ' ~ platform ~ ' = ' ~ of ~ ' and '
            ~ (conditions | join(' and ') | replace('BREAK', at)) ~ ' then 1 else 0 end)'
        ) -%}
    {%- endfor -%}
    {{ counted | join(' + ') }}
{%- endmacro %}


{# On Spark: the first break of `platform` after `at`; null where none is. #}
{% macro first_break_after(platform, at) -%}
    {%- set found = ['cast(null as timestamp)', 'cast(null as timestamp)'] -%}
    {%- for of, moment in breaks_written() -%}
        {%- do found.append(
            'case when ' ~ platform ~ ' = ' ~ of ~ ' and ' ~ at ~ ' < ' ~ moment ~ ' then ' ~ moment ~ ' end'
        ) -%}
    {%- endfor -%}
    least({{ found | join(', ') }})
{%- endmacro %}


{# Platform and time of each change of what a view is, as literals. #}
{% macro breaks_written() -%}
    {%- set changes = ref('metric_definition_changes') -%}
    {%- set written = [] -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'test') -%}
        {%- for row in run_query(
            'select platform, ' ~ as_text('changed_at') ~ ' from ' ~ changes ~ " where metric = 'views'"
        ).rows -%}
            {%- do written.append(("'" ~ row[0] ~ "'", "cast('" ~ row[1] ~ "' as timestamp)")) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(written) }}
{%- endmacro %}
