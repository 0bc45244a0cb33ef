{# The landed rows of one resource from the given sources, as pinned for this build. #}
{% macro landed(sources, resource, columns) %}
{%- for source_name in sources %}
    select
        _load_id, _source, _position, _extracted_at, _loaded_at, _extra,
        {{ columns | join(', ') }}
    from {{ source(source_name, resource) }}
    {%- if target.type != 'duckdb' %}
    where _load_id in (
        select load_id from {{ meta('loads') }}
        where source = '{{ source_name }}' and resource = '{{ resource }}'
    )
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif -%}
{%- endfor -%}
{% endmacro %}


{# The columns every staging model begins with. #}
{% macro bookkeeping() -%}
    _load_id,
        _source,
        _position,
        _extracted_at as _known_at,
        _loaded_at,
        _extra
{%- endmacro %}


{# The columns every accepted row ends with: its clocks, of which `known_at` says since when it is
   known with all it rests on, and where it came from. Posts have a state that children read
   (`state`); others read no changes of a table that none refers to (`referenced`). #}
{% macro accepted_bookkeeping(state=false, referenced=true) -%}
    _effective_at as known_at,
        _known_at,
        _valid_from,
        {% if state -%}
        _state_from,
        {% endif -%}
        _source,
        _load_id,
        _position,
        _build
        {%- if referenced %},
        _changed_build
        {%- endif %}
{%- endmacro %}


{# Canonical table to the staging models that feed it. #}
{% macro staging_models() %}
    {%- set models = {} -%}
    {%- for table, declared in declared_tables().items() -%}
        {%- do models.update({table: declared['staging']}) -%}
    {%- endfor -%}
    {{ return(models) }}
{% endmacro %}
