{# Logical types, as the engine spells them. #}
{% macro type_timestamptz() -%}{{ return('timestamp' if target.type == 'spark' else 'timestamptz') }}{%- endmacro %}
{% macro type_text() -%}{{ return('string' if target.type == 'spark' else 'text') }}{%- endmacro %}
{% macro type_uuid() -%}{{ return('string' if target.type == 'spark' else 'uuid') }}{%- endmacro %}
{% macro type_double() -%}{{ return('double' if target.type == 'spark' else 'double precision') }}{%- endmacro %}
{% macro type_text_array() -%}{{ return('array<string>' if target.type == 'spark' else 'text[]') }}{%- endmacro %}
{% macro type_json() -%}{{ return({'postgres': 'jsonb', 'spark': 'string'}.get(target.type, 'json')) }}{%- endmacro %}


{# `expression` cast to a logical kind of the landing schema. #}
{% macro as_kind(expression, kind) -%}
    {%- set types = {
        'uuid': type_uuid(),
        'text': type_text(),
        'json': type_json(),
        'text[]': type_text_array(),
        'number': type_double(),
        'integer': 'bigint',
        'timestamp': type_timestamptz(),
    } -%}
    cast({{ expression }} as {{ types[kind] }})
{%- endmacro %}


{# `expression` as a double where the engine would not make it one beside another: on Spark a
   number with a point is a decimal, and so is what it is compared with. #}
{% macro as_double(expression) -%}
    {{ 'cast(' ~ expression ~ ' as double)' if target.type == 'spark' else expression }}
{%- endmacro %}


{# The number that a text is, where the query has asked whether it is one: Sail may look before. #}
{% macro number_in(text) -%}
    {{ 'try_cast' if target.type == 'spark' else 'cast' }}({{ text }} as {{ type_double() }})
{%- endmacro %}


{# `expression` as text. #}
{% macro as_text(expression) -%}
    cast({{ expression }} as {{ type_text() }})
{%- endmacro %}


{# Types as contracts and unit tests name them, in the words of DuckDB and Postgres, and Spark's. #}
{% macro spark_types() -%}
    {{ return({
        'uuid': 'string', 'text': 'string', 'json': 'string', 'jsonb': 'string', 'text[]': 'array<string>',
        'timestamptz': 'timestamp', 'timestamp with time zone': 'timestamp', 'double precision': 'double',
        'double precision[]': 'array<double>',
    }) }}
{%- endmacro %}


{# What dbt casts with. #}
{% macro spark__cast(field, type) -%}
    cast({{ field }} as {{ spark_types().get(type | lower, type) }})
{%- endmacro %}
