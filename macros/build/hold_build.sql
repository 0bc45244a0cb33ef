{# Before a model on Postgres: its transaction ends before another build begins, and does
   nothing once one has begun. A build whose lock was lost (its session was ended) thus
   stops instead of writing into the tables of the next. DuckDB has one process a file. #}
{% macro hold_build() -%}
    {%- if target.type == 'postgres' and execute and flags.WHICH in ('run', 'build') -%}
        do $$ begin
            lock table {{ meta('builds') }} in share mode;
            if not exists (
                select 1 from {{ meta('builds') }}
                where invocation_id = '{{ invocation_id }}'
                    and build = (select max(build) from {{ meta('builds') }})
            ) then
                raise exception 'Another build has begun';
            end if;
        end $$
    {%- endif -%}
{%- endmacro %}
