{# One row for each uuid written in a text, for use in a select list; none for
   null. #}
{% macro uuids_in(text) -%}
    {%- set pattern = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}' -%}
    {%- if target.type == 'postgres' -%}
        cast((regexp_matches(lower({{ text }}), '{{ pattern }}', 'g'))[1] as uuid)
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
        {{ ascii_lower("trim(regexp_replace(" ~ text ~ ", '[ \\t\\n\\r]+', ' ', 'g'))") }}
    {%- endif -%}
{%- endmacro %}
