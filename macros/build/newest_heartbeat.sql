{# SQL of the time a source was last asked and had nothing new: as-of moves on with it,
   though no load did. #}
{% macro newest_heartbeat() -%}
    {{ return(adapter.dispatch('newest_heartbeat', 'ace_warehouse')()) }}
{%- endmacro %}


{% macro duckdb__newest_heartbeat() -%}
    {%- set sources = graph.sources.values() | map(attribute='source_name') | list -%}
    {%- set files = [] -%}
    {%- for file in landed_files('*/_heartbeat') -%}
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


{% macro postgres__newest_heartbeat() -%}
    {%- set found = run_query("select to_regclass('raw._heartbeats') is not null") -%}
    {{ return(
        '(select max(landed_at) from raw._heartbeats)' if found.rows[0][0]
        else 'cast(null as timestamptz)'
    ) }}
{%- endmacro %}
