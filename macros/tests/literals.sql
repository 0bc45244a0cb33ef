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
    {%- set of_type, of_items = ('array<%s>', 'array(%s)') if target.type == 'spark' else ('%s[]', 'array[%s]') -%}
    cast({{ of_items % (items | join(', ')) if items else 'null' }} as {{ of_type % type }})
{%- endmacro %}
