{# One row for each uuid written in a text, for use in a select list; none for
   null. #}
{% macro uuids_in(text) -%}
    {%- set pattern = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}' -%}
    {%- if target.type == 'postgres' -%}
        cast((regexp_matches(lower({{ text }}), '{{ pattern }}', 'g'))[1] as uuid)
    {%- elif target.type == 'spark' -%}
        explode(regexp_extract_all(lower({{ text }}), '{{ pattern }}', 0))
    {%- else -%}
        cast(unnest(regexp_extract_all(lower({{ text }}), '{{ pattern }}')) as uuid)
    {%- endif -%}
{%- endmacro %}


{# Text as it is compared: A to Z in lower case (what else has a lower case depends on the
   engine), each run of white space one space, none at the ends. #}
{% macro comparable_text(text) -%}
    {%- if target.type == 'postgres' -%}
        {{ ascii_lower("btrim(regexp_replace(" ~ text ~ ", '[ \\t\\n\\r]+', ' ', 'g'))") }}
    {%- else -%}
        {{ ascii_lower("trim(regexp_replace(" ~ text ~ ", '[ \\t\\n\\r]+', ' '" ~ ("" if target.type == 'spark' else ", 'g'") ~ "))") }}
    {%- endif -%}
{%- endmacro %}


{# The uuid that a text of 32 hexadecimal digits says. On Spark uuids are texts. #}
{% macro hash_uuid(digits) -%}
    {%- if target.type == 'spark' -%}
        regexp_replace({{ digits }}, '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '$1-$2-$3-$4-$5')
    {%- else -%}
        cast({{ digits }} as uuid)
    {%- endif -%}
{%- endmacro %}
