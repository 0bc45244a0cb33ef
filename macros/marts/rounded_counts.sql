{# Counts that a source had shortened. "1.2M" stands for something between 1,150,000 and
   1,250,000; it is kept as written beside its number, and says no more than that. #}

{# The counts of a landed record that were shortened, by column as written (JSON); null for
   the many that have none. #}
{% macro counts_as_written() -%}
    case
        when cast(_extra as {{ type_text() }}) like '%"_precision"%'
        then {{ json_part(as_kind('_extra', 'json'), '_precision') }}
    end
{%- endmacro %}


{# How far a shortened count may be off: half of its last written digit; null where the count
   is exact. The digits as written are the first digits of the number, whatever the separator
   and the suffix, and the number's own length says how many were left out. #}
{% macro rounding_margin(metric, document) -%}
    {%- set twin = {
        'views': 'view_count', 'likes': 'like_count', 'comments': 'comment_count',
        'shares': 'share_count',
    }[metric] -%}
    {%- set written -%}
        coalesce({{ json_text(document, metric) }}, {{ json_text(document, twin) }})
    {%- endset -%}
    {%- set digits = without_leading(replaced(written, '[^0-9]'), '0') -%}
    case
        when {{ digits }} <> ''
            and length(cast({{ metric }} as {{ type_text() }})) > length({{ digits }})
            and cast({{ metric }} as {{ type_text() }}) like {{ digits }} || '%'
        then cast(
            power(10, length(cast({{ metric }} as {{ type_text() }})) - length({{ digits }})) / 2 as bigint
        )
    end
{%- endmacro %}


{# CTEs that take shortened counts down to what the next exact poll says, as far as their
   margin allows: 1,187,345 after "1.2M" is no fall, the count was at most that before. A count
   that no later one contradicts stays. Reads the CTE `polls`, one series of polls per
   `partition`, in order of the column `by`; ends with the CTE `unrounded`: all of its columns,
   and of each metric `_clean`, `_margin` (null: exact) and `_bounded_at`, the greatest of
   `known` of the poll that bounds it. #}
{% macro unrounded(polls, partition, by, metrics, known) -%}
marked as (

    select
        {{ polls }}.*
        {%- for metric in metrics %},
        {{ rounding_margin(metric, 'counts_as_written') }} as {{ metric }}_margin
        {%- endfor %}
    from {{ polls }}

),

{# As many exact polls are at or after a poll as at or after the next exact one. #}
counted as (

    select
        marked.*
        {%- for metric in metrics %},
        count(case when {{ metric }}_margin is null then {{ metric }} end) over backwards
            as {{ metric }}_run
        {%- endfor %}
    from marked
    window backwards as (partition by {{ partition }} order by {{ by }} desc)

),

bounded as (

    select
        counted.*
        {%- for metric in metrics %},
        max(case when {{ metric }}_margin is null then {{ metric }} end)
            over (partition by {{ partition }}, {{ metric }}_run) as {{ metric }}_bound,
        max(case when {{ metric }}_margin is null and {{ metric }} is not null then {{ known }} end)
            over (partition by {{ partition }}, {{ metric }}_run) as {{ metric }}_bound_known
        {%- endfor %}
    from counted

),

unrounded as (

    select
        bounded.*
        {%- for metric in metrics %},
        case
            when {{ metric }}_bound < {{ metric }}
                and {{ metric }}_bound >= {{ metric }} - {{ metric }}_margin
            then {{ metric }}_bound
            else {{ metric }}
        end as {{ metric }}_clean,
        case when {{ metric }}_margin is not null then {{ metric }}_bound_known end
            as {{ metric }}_bounded_at
        {%- endfor %}
    from bounded

),
{%- endmacro %}
