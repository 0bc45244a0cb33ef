{# meta.loads: the loads this build sees, each with the one file that holds it. #}
{% macro pin_loads() %}
    {{ return(adapter.dispatch('pin_loads', 'ace_warehouse')()) }}
{% endmacro %}


{% macro landing_root() -%}
    {{ return(env_var('ACE_LANDING', env_var('ACE_HOME', 'data') ~ '/landing')) }}
{%- endmacro %}


{% macro duckdb__pin_loads() %}
    {%- set root = landing_root() | replace("'", "''") -%}
    {%- set schemas = run_query("select count(*) from glob('" ~ root ~ "/*/*/_schema.parquet')") -%}
    {%- if schemas.rows[0][0] == 0 -%}
        {{ exceptions.raise_compiler_error(
            'Nothing has ever landed in ' ~ landing_root() ~ ": run 'ace load demo' or another 'ace load' first."
        ) }}
    {%- endif -%}
    {# A load can stand in two files for a moment (a compaction that was killed): the
       file with more loads holds it. #}
    {%- do run_query(
        "create or replace table " ~ meta('loads') ~ " as
        with files as (
            select file_name as file, decode(value)::json as content
            from parquet_kv_metadata('" ~ root ~ "/*/*/[!.]*.parquet')
            where decode(key) = 'ace' and not contains(file_name, '/_rejected/')
        ),
        listed as (
            select
                file,
                json_array_length(content->'loads') as loads_in_file,
                unnest(from_json(content->'loads', '[{
                    \"load_id\": \"VARCHAR\", \"source\": \"VARCHAR\", \"resource\": \"VARCHAR\",
                    \"account\": \"VARCHAR\", \"landed_at\": \"TIMESTAMPTZ\", \"read\": \"BIGINT\",
                    \"accepted\": \"BIGINT\", \"rejected\": \"BIGINT\", \"recovered\": \"BIGINT\",
                    \"known_at_min\": \"TIMESTAMPTZ\", \"known_at_max\": \"TIMESTAMPTZ\"
                }]'), recursive := true)
            from files
        ),
        ranked as (
            select *, row_number() over (
                partition by load_id order by loads_in_file desc, file desc
            ) as choice
            from listed
        )
        select
            load_id, source, resource, account, landed_at, read, accepted, rejected,
            coalesce(recovered, 0) as recovered, known_at_min, known_at_max, file
        from ranked
        where choice = 1"
    ) -%}
    {%- set pinned = run_query(
        "select distinct source || '__' || resource as resource, file from " ~ meta('loads')
        ~ " order by all"
    ) -%}
    {%- set files = {} -%}
    {%- for row in pinned.rows -%}{%- do files.setdefault(row[0], []).append(row[1]) -%}{%- endfor -%}
    {%- for source in graph.sources.values() | selectattr('source_meta.kind', 'equalto', 'landing') -%}
        {%- do duckdb__create_raw_view(source, files.get(source.identifier, []), root) -%}
    {%- endfor -%}
{% endmacro %}


{# One view over the pinned files of a resource; the schema file gives it its columns
   when nothing has landed, or when older files lack a newer column. #}
{% macro duckdb__create_raw_view(source, files, root) %}
    {%- set parts = source.identifier.split('__') -%}
    {%- set paths = [root ~ '/' ~ parts[0] ~ '/' ~ parts[1] ~ '/_schema.parquet'] -%}
    {%- for file in files -%}{%- do paths.append(file | replace("'", "''")) -%}{%- endfor -%}
    {%- do run_query(
        "create or replace view raw." ~ source.identifier ~ " as
        select landed.* exclude (filename)
        from read_parquet(['" ~ paths | join("', '") ~ "'], union_by_name = true, filename = true) as landed
        semi join " ~ meta('loads') ~ " as pinned
            on landed._load_id = pinned.load_id and landed.filename = pinned.file"
    ) -%}
{% endmacro %}


{% macro postgres__pin_loads() %}
    {%- do run_query(
        'create table if not exists ' ~ meta('loads') ~ ' (like raw._loads including defaults)'
    ) -%}
    {%- do run_query('delete from ' ~ meta('loads')) -%}
    {%- do run_query('insert into ' ~ meta('loads') ~ ' select * from raw._loads') -%}
{% endmacro %}
