{# The columns of a relation, as dbt asks for them. Postgres' information schema calls
   every array ARRAY, which is no type a value can be cast to, and unit tests cast; here
   an array is called by its element, as in text[]. #}
{% macro postgres__get_columns_in_relation(relation) -%}
    {%- call statement('get_columns_in_relation', fetch_result=True) %}
        select
            column_name,
            case when data_type = 'ARRAY' then ltrim(udt_name, '_') || '[]' else data_type end as data_type,
            character_maximum_length,
            numeric_precision,
            numeric_scale
        from {{ relation.information_schema('columns') }}
        where table_name = '{{ relation.identifier }}'
            {%- if relation.schema %}
            and table_schema = '{{ relation.schema }}'
            {%- endif %}
        order by ordinal_position
    {%- endcall -%}
    {{ return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) }}
{%- endmacro %}
