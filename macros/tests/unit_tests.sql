{# Unit tests on Spark. Rows that they write as SQL are in the words of DuckDB and Postgres, which
   differ in nothing there. Texts are cast since Sail has two kinds, of which its client knows one. #}
{% macro spark__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {%- set actual = in_words_of_spark(main_sql) -%}
    {%- set columns = [] -%}
    {%- for column in get_column_schema_from_query(actual) -%}
        {%- do columns.append('cast(' ~ column.quoted ~ ' as string) as ' ~ column.quoted if column.dtype == 'string' else column.quoted) -%}
    {%- endfor -%}
    {{ default__get_unit_test_sql(
        'select ' ~ columns | join(', ') ~ ' from (' ~ actual ~ ') as actual',
        in_words_of_spark(expected_fixture_sql),
        expected_column_names,
    ) }}
{%- endmacro %}


{# By its columns a unit test knows the types of what it expects. #}
{% macro spark__get_empty_subquery_sql(select_sql, select_sql_header=none) -%}
    {{ default__get_empty_subquery_sql(in_words_of_spark(select_sql), select_sql_header) }}
{%- endmacro %}


{# SQL with the types and literals of Spark in place of theirs; models have Spark's already. #}
{% macro in_words_of_spark(sql) -%}
    {%- set words = namespace(sql=with_doubles(sql)) -%}
    {%- for theirs, sparks in spark_types().items() -%}
        {%- set words.sql = words.sql | replace('as ' ~ theirs ~ ')', 'as ' ~ sparks ~ ')') -%}
    {%- endfor -%}
    {%- for theirs, sparks in [
        ("\\btimestamptz '", "timestamp '"),
        ("\\barray\\[([^\\[\\]]*)\\]", "array(\\1)"),
        ("\\bgenerate_series\\((\\d+), (\\d+)\\)", "range(\\1, \\2 + 1)"),
    ] -%}
        {%- set words.sql = modules.re.sub(theirs, sparks, words.sql) -%}
    {%- endfor -%}
    {{ return(words.sql) }}
{%- endmacro %}


{# A text of a row, in which Spark reads a backslash as the beginning of a sign. #}
{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace("\\", "\\\\") | replace("'", "\\'") }}
{%- endmacro %}
