{# Platforms change what a view is. Values from before and after such a break are not
   compared with each other. #}

{# How many changes of what `platform` counts as a view were in force at `at`. Posts of
   different eras are different populations. #}
{% macro definition_era(platform, at) -%}
    (
        select count(*) from {{ ref('metric_definition_changes') }} as changes
        where changes.platform = {{ platform }}
            and changes.metric = 'views'
            and changes.changed_at <= {{ at }}
    )
{%- endmacro %}


{# Whether what `platform` counts as a view changed after `starts_at` and not after
   `ends_at`; false when either is null. #}
{% macro crosses_break(platform, starts_at, ends_at) -%}
    exists (
        select 1 from {{ ref('metric_definition_changes') }} as changes
        where changes.platform = {{ platform }}
            and changes.metric = 'views'
            and changes.changed_at > {{ starts_at }}
            and changes.changed_at <= {{ ends_at }}
    )
{%- endmacro %}
