{# Before the rows of a relation change: DuckDB keeps an index at 15 microseconds for a row that
   changes, and makes it anew at 0.2 for a row there is. Where many change it therefore goes, and
   the build that passed has it again (warehouse/release/duckdb.py). #}
{% macro drop_indexes_before_many(relation, changed) %}
    {%- if execute and target.type == 'duckdb' -%}
        {%- set many = run_query(
            'select (select count(*) from ' ~ changed
            ~ ') * 50 > (select count(*) from ' ~ relation ~ ')'
        ) -%}
        {%- if many.rows[0][0] -%}{%- do drop_indexes_on_relation(relation) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}
