{# CTEs that invert a small symmetric positive definite matrix for each row of `source`: columns
   a_i_j (i <= j < size), b_i and `keys`. Each step sweeps one row and column (Goodnight 1979); the
   last CTE, `swept`, has in their places

   - a_i_j       the inverse
   - b_i         the solution: the inverse times b
   - log_det     logarithm of the determinant
   - explained   b times the solution

   A ridge on the diagonal keeps the pivots above 0. #}
{% macro swept(source, keys, size) -%}
{%- for step in range(size) -%}
{%- set pivot = 'a_' ~ step ~ '_' ~ step -%}
{%- set last = step == size - 1 -%}
{{ 'swept' if last else 'swept_' ~ step }} as {{ computed_once() }} (

    select
        {{ keys | join(',\n        ') }},
        {%- for i in range(size) %}
        {%- set beside = 'a_' ~ [i, step] | min ~ '_' ~ [i, step] | max %}
        {%- for j in range(i, size) %}
        {%- set old = 'a_' ~ i ~ '_' ~ j %}
        {%- set below = 'a_' ~ [j, step] | min ~ '_' ~ [j, step] | max %}
        {#- What is swept is the inverse's negative until the last step turns it round. #}
        {{ '-1 * ' if last }}(
            {%- if i == step and j == step %}-1 / {{ pivot }}
            {%- elif i == step or j == step %}{{ old }} / {{ pivot }}
            {%- else %}{{ old }} - {{ beside }} * {{ below }} / {{ pivot }}
            {%- endif %}) as {{ old }},
        {%- endfor %}
        b_{{ i }}{{ ' - ' ~ beside ~ ' * b_' ~ step if i != step }} / {{ pivot }} as b_{{ i }},
        {%- endfor %}
        ln({{ pivot }}){{ ' + log_det' if step > 0 }} as log_det,
        b_{{ step }} * b_{{ step }} / {{ pivot }}{{ ' + explained' if step > 0 }} as explained
    from {{ source if step == 0 else 'swept_' ~ (step - 1) }}

),
{% endfor %}
{%- endmacro %}
