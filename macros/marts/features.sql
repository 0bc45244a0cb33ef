{# What was known when: pieces of the features that must not change when more becomes known. #}

{# Select of the versions of a key that counted at some time, with when they did:
   `known_from` up to, not including, `known_to` (null: still). As of any time the newest
   version valid by then counts. `rows` is a `valid_` model or a CTE with its columns. #}
{% macro known_versions(rows, key, columns) -%}
    select {{ key | join(', ') }}, {{ columns | join(', ') }}, known_from, known_to
    from (
        select
            {{ key | join(', ') }},
            {{ columns | join(', ') }},
            known_at as known_from,
            min(known_at) over (
                partition by {{ key | join(', ') }} order by _known_at, _load_id, _position
                rows between 1 following and unbounded following
            ) as known_to
        from {{ rows }}
    ) as versions
    where known_to is null or known_to > known_from
{%- endmacro %}


{# Condition: the version counted at a time. #}
{% macro counts_at(version, at) -%}
    {{ version }}.known_from <= {{ at }}
        and ({{ version }}.known_to is null or {{ version }}.known_to > {{ at }})
{%- endmacro %}


{# When what `platform` counts as a view next changes after `at`; null when it does not. #}
{% macro next_break(platform, at) -%}
    {%- if target.type == 'spark' -%}
        {{ first_break_after(platform, at) }}
    {%- else -%}
    (
        select min(changes.changed_at)
        from {{ ref('metric_definition_changes') }} as changes
        where changes.platform = {{ platform }}
            and changes.metric = 'views'
            and changes.changed_at > {{ at }}
    )
    {%- endif -%}
{%- endmacro %}


{# Standard deviation (n - 1) from the number of values, their sum and the sum of their
   squares, the sums exact decimals: the difference is taken before any rounding. Null
   under two values. #}
{% macro deviation_of_sums(n, total, squares) -%}
    case
        when {{ n }} > 1
            then sqrt(greatest(cast({{ n }} * {{ squares }} - {{ total }} * {{ total }} as {{ type_double() }}), 0)
                / (cast({{ n }} as {{ type_double() }}) * ({{ n }} - 1)))
    end
{%- endmacro %}


{# How much the true rates of posts differ (gamma_excess) from running sums: of events, of
   exposure and of events^2 / exposure. Null when there is nothing to tell from. #}
{% macro gamma_excess_of_sums(n, events, exposure, squares) -%}
    ({{ ratio(squares, events) }} * {{ ratio(exposure, events) }} - 1 - {{ ratio(n, events) }})
{%- endmacro %}


{# What is summed of labels: how many, ln views and their squares; and of those with views
   and known engagements how many, views, engagements and their squares per view. #}
{% macro label_measures() -%}
    {{ return([
        'labels', 'ln_views', 'ln_views_squared',
        'rated', 'rated_views', 'engagements', 'engagements_squared',
    ]) }}
{%- endmacro %}


{# Midnight (UTC) of the day of a time. #}
{% macro day_of(time) -%}
    ({{ in_utc("date_trunc('day', " ~ in_utc('(' ~ time ~ ')') ~ ')') }})
{%- endmacro %}
