{# Values as tests write them, in the words of each engine. #}

{# A text: Spark reads a backslash in it as the beginning of a sign. #}
{% macro text_literal(text) -%}
    {%- if text is none -%}
        cast(null as {{ type_text() }})
    {%- else -%}
        {%- set quoted = text | replace("'", "''") -%}
        '{{ quoted | replace("\\", "\\\\") if target.type == "spark" else quoted }}'
    {%- endif -%}
{%- endmacro %}


{# A time with its offset; the unknown one. #}
{% macro moment(time=none) -%}
    cast({{ "'" ~ time ~ "'" if time else 'null' }} as {{ type_timestamptz() }})
{%- endmacro %}


{# An array of SQL expressions of a type; the unknown one. #}
{% macro array_of(items, type) -%}
    {%- set array_type = 'array<' ~ type ~ '>' if target.type == 'spark' else type ~ '[]' -%}
    {%- set written = 'array(' ~ items | join(', ') ~ ')' if target.type == 'spark' else 'array[' ~ items | join(', ') ~ ']' -%}
    cast({{ written if items else 'null' }} as {{ array_type }})
{%- endmacro %}


{# Literals with a point are doubles in tests, too, as in models (with_doubles). #}
{% macro spark__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {{ default__get_test_sql(with_doubles(main_sql), fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}
