{# Logical types, as the engine spells them. #}
{% macro type_timestamptz() -%}{{ return('timestamptz') }}{%- endmacro %}
{% macro type_uuid() -%}{{ return('uuid') }}{%- endmacro %}
{% macro type_double() -%}{{ return('double precision') }}{%- endmacro %}
{% macro type_text_array() -%}{{ return('text[]') }}{%- endmacro %}
{% macro type_json() -%}{{ return('jsonb' if target.type == 'postgres' else 'json') }}{%- endmacro %}


{# `expression` cast to a logical kind of the landing schema. #}
{% macro as_kind(expression, kind) -%}
    {%- set types = {
        'uuid': type_uuid(),
        'text': 'text',
        'json': type_json(),
        'text[]': type_text_array(),
        'number': type_double(),
        'integer': 'bigint',
        'timestamp': type_timestamptz(),
    } -%}
    cast({{ expression }} as {{ types[kind] }})
{%- endmacro %}
