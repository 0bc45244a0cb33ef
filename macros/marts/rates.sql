{# A share of counts as a double; null when either is unknown or there is nothing to
   divide by. #}
{% macro ratio(numerator, denominator) -%}
    (cast({{ numerator }} as {{ type_double() }}) / nullif(cast({{ denominator }} as {{ type_double() }}), 0))
{%- endmacro %}


{# A raw rate per view: null under `min_views`, where it would be noise. #}
{% macro rate_per_view(numerator, views) -%}
    case when {{ at_least(views, var('min_views')) }} then {{ ratio(numerator, views) }} end
{%- endmacro %}


{# Sum of the known ones of several counts; null when none is known. #}
{% macro sum_known(columns) -%}
    case
        when coalesce({{ columns | join(', ') }}) is null then null
        else {% for column in columns %}coalesce({{ column }}, 0){{ ' + ' if not loop.last }}{% endfor %}
    end
{%- endmacro %}


{# Hours between two times, as a double with microsecond resolution. #}
{% macro hours_between(earlier, later) -%}
    (cast({{ epoch_us(later) }} - {{ epoch_us(earlier) }} as {{ type_double() }}) / 3600000000)
{%- endmacro %}


{# Age of a post at a time, in whole microseconds; a poll up to a few minutes before
   the stated publication counts as age 0. #}
{% macro age_us(published_at, collected_at) -%}
    greatest({{ epoch_us(collected_at) }} - {{ epoch_us(published_at) }}, 0)
{%- endmacro %}


{# SQL condition: two polls are too close for a velocity between them. #}
{% macro is_short_gap(earlier, later) -%}
    coalesce({{ later }} < {{ earlier }} + interval '{{ var("min_interval_minutes") }}' minute, false)
{%- endmacro %}


{# SQL condition: a platform corrected its count; it fell by more than `correction_share`, and
   the next poll confirms it. #}
{% macro is_correction(count, previous, next) -%}
    coalesce(
            {{ count }} < {{ previous }} * (1 - {{ var('correction_share') }})
            and {{ next }} < {{ previous }} * (1 - {{ var('correction_share') }}),
            false
        )
{%- endmacro %}
