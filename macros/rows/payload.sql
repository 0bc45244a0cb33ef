{# The business columns of an int table as one JSON object, times as ISO 8601 text. #}
{% macro payload_of(relation) -%}
    {%- set pairs = {} -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(relation) if not column.name.startswith('_') -%}
            {%- set kind = column.dtype | lower -%}
            {%- do pairs.update({
                column.name: iso_text(column.name) if kind.startswith('timestamp')
                    else (as_text(column.name) if kind == 'uuid' else column.name)
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ json_object(pairs, document_columns()) if pairs else empty_object() }}
{%- endmacro %}
