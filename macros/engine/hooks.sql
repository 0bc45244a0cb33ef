{# What dbt runs before and after each model and seed, with what Postgres has in addition. As hooks of
   dbt_project.yml both were rendered for every model twice while the project is parsed, each time in
   a context made for it, and again in every build, also on engines that do nothing there. #}
{% macro run_hooks(hooks, inside_transaction=True) %}
    {%- if target.type == 'postgres' and inside_transaction -%}
        {%- set sql = hold_build() if hooks is sameas pre_hooks else refresh_statistics() -%}
        {%- if sql | trim -%}
            {%- call statement() -%}{{ sql }}{%- endcall -%}
        {%- endif -%}
    {%- endif -%}
    {%- if hooks -%}{{ dbt.run_hooks(hooks, inside_transaction) }}{%- endif -%}
{% endmacro %}
