{# meta.loads: the loads this build sees, each with the one file that holds it. #}
{% macro pin_loads() %}
    {{ return(adapter.dispatch('pin_loads', 'ace_warehouse')()) }}
{% endmacro %}


{% macro landing_root() -%}
    {{ return(env_var('ACE_LANDING', env_var('ACE_HOME', 'data') ~ '/landing')) }}
{%- endmacro %}


{# The text of a SQL literal that means this one path: DuckDB takes a name with brackets,
   asterisks or question marks for a pattern. #}
{% macro exact_path(path) -%}
    {{ return(
        path | replace('[', '[[]') | replace('?', '[?]') | replace('*', '[*]') | replace("'", "''")
    ) }}
{%- endmacro %}


{# Landed files in folders that match a pattern, without those that `ace build` found to be
   unreadable (var `left_out`): one damaged file must not stop the others. #}
{% macro landed_files(folders) -%}
    {%- set root = exact_path(landing_root()) -%}
    {%- set found = run_query(
        "select file from glob('" ~ root ~ "/" ~ folders ~ "/[!._]*.parquet') order by file"
    ) -%}
    {{ return(found.columns[0].values() | reject('in', var('left_out')) | list) }}
{%- endmacro %}


{# A list of paths in SQL. #}
{% macro sql_files(files) -%}
    {%- set quoted = [] -%}
    {%- for file in files -%}{%- do quoted.append("'" ~ exact_path(file) ~ "'") -%}{%- endfor -%}
    {{ return('[' ~ quoted | join(', ') ~ ']') }}
{%- endmacro %}


{% macro duckdb__pin_loads() %}
    {%- set root = exact_path(landing_root()) -%}
    {%- set schemas = run_query("select min(file) from glob('" ~ root ~ "/*/*/_schema.parquet')") -%}
    {%- if schemas.rows[0][0] is none -%}
        {{ exceptions.raise_compiler_error(
            'Nothing has ever landed in ' ~ landing_root() ~ ": run 'ace load demo' or another 'ace load' first."
        ) }}
    {%- endif -%}
    {%- set folders = graph.sources.values() | selectattr('source_meta.kind', 'equalto', 'landing')
        | map(attribute='identifier') | list -%}
    {%- set files = [] -%}
    {%- for file in landed_files('*/*') -%}
        {%- set place = file.split('/') -%}
        {%- if place[-3] ~ '__' ~ place[-2] in folders -%}{%- do files.append(file) -%}{%- endif -%}
    {%- endfor -%}
    {# A load can stand in two files for a moment (a compaction that was killed): the
       file with more loads holds it. #}
    {%- do run_query(
        "create or replace table " ~ meta('loads') ~ " as
        with files as (
            select file_name as file, decode(value)::json as content
            from parquet_kv_metadata(" ~ sql_files(files or [schemas.rows[0][0]]) ~ ")
            where decode(key) = 'ace'
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
        where choice = 1" ~ seen_before_or_now(meta('loads'))
    ) -%}
    {%- set pinned = run_query(
        "select distinct source || '__' || resource as resource, file from " ~ meta('loads')
        ~ " order by all"
    ) -%}
    {%- set files = {} -%}
    {%- for row in pinned.rows -%}{%- do files.setdefault(row[0], []).append(row[1]) -%}{%- endfor -%}
    {%- set views = [] -%}
    {%- for source in graph.sources.values() | selectattr('source_meta.kind', 'equalto', 'landing') -%}
        {%- do views.append(duckdb__raw_view(source, files.get(source.identifier, []), root)) -%}
    {%- endfor -%}
    {%- do run_query(views | join(';\n')) -%}
{% endmacro %}


{# The statement of one view over the pinned files of a resource; the schema file gives it its
   columns when nothing has landed, or when older files lack a newer column. #}
{% macro duckdb__raw_view(source, files, root) -%}
    {%- set parts = source.identifier.split('__') -%}
    {%- set paths = [root ~ '/' ~ parts[0] ~ '/' ~ parts[1] ~ '/_schema.parquet'] -%}
    {%- for file in files -%}{%- do paths.append(exact_path(file)) -%}{%- endfor -%}
    create or replace view raw.{{ source.identifier }} as
    select landed.* exclude (filename)
    from read_parquet(
        ['{{ paths | join("', '") }}'],
        union_by_name = true, filename = true, hive_partitioning = false
    ) as landed
    semi join {{ meta('loads') }} as pinned
        on landed._load_id = pinned.load_id and landed.filename = pinned.file
{%- endmacro %}


{% macro postgres__pin_loads() %}
    {%- do run_query(
        'create table if not exists ' ~ meta('loads') ~ ' (like raw._loads including defaults)'
    ) -%}
    {%- set hidden = run_query("select to_regclass('raw._gone') is not null").rows[0][0] -%}
    {%- do run_query(
        'with before as (delete from ' ~ meta('loads') ~ ' returning load_id)'
        ~ ' insert into ' ~ meta('loads') ~ ' select * from raw._loads where true'
        ~ (' and load_id not in (select load_id from raw._gone)' if hidden else '')
        ~ seen_before_or_now('before')
    ) -%}
{% endmacro %}


{# An increment runs what its loads make stale: those that landed since wait for the next build. #}
{% macro seen_before_or_now(before) -%}
    {%- set only = var('only_loads') -%}
    {%- if only is not none %}
        and (load_id in (select load_id from {{ before }}) or load_id in ('{{ only | map("replace", "'", "''") | join("', '") }}'))
    {%- endif -%}
{%- endmacro %}


{# On Spark `ace build` names the loads before dbt begins (warehouse/spark/opening.py): SQL reads no
   footers there. #}
{% macro spark__pin_loads() %}{% endmacro %}
