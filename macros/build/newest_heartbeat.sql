{# When a source, or any of them, was last asked and had nothing new, as SQL; null when none
   ever was. #}
{% macro newest_heartbeat(source=none) -%}
    {%- if not execute -%}{{ return('cast(null as timestamptz)') }}{%- endif -%}
    {{ return(adapter.dispatch('newest_heartbeat', 'ace_warehouse')(source)) }}
{%- endmacro %}


{% macro duckdb__newest_heartbeat(source) -%}
    {%- set sources = [source] if source
        else graph.sources.values() | map(attribute='source_name') | list -%}
    {%- set files = [] -%}
    {%- for file in landed_files((source or '*') ~ '/_heartbeat') -%}
        {%- if file.split('/')[-3] in sources -%}{%- do files.append(file) -%}{%- endif -%}
    {%- endfor -%}
    {%- if not files -%}
        {{ return('cast(null as timestamptz)') }}
    {%- endif -%}
    {{ return(
        "(select max(cast(decode(value)::json->'heartbeat'->>'landed_at' as timestamptz))"
        ~ " from parquet_kv_metadata(" ~ sql_files(files) ~ ") where decode(key) = 'ace')"
    ) }}
{%- endmacro %}


{% macro postgres__newest_heartbeat(source) -%}
    {%- set found = run_query("select to_regclass('raw._heartbeats') is not null") -%}
    {%- set only = " where source = '" ~ source ~ "'" if source else '' -%}
    {{ return(
        '(select max(landed_at) from raw._heartbeats' ~ only ~ ')' if found.rows[0][0]
        else 'cast(null as timestamptz)'
    ) }}
{%- endmacro %}


{% macro spark__newest_heartbeat(source) -%}
    {{ return(
        '(select max(landed_at) from ' ~ meta('heartbeats')
        ~ (" where source = '" ~ source ~ "')" if source else ')')
    ) }}
{%- endmacro %}
