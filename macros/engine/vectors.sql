{# Vectors of embeddings. Each has a case in tests/dbt/vector_macros.sql.

   A vector is a JSON array of numbers. Digits and exponents are bounded, so that no
   vector, whatever its length, can make a sum of squares overflow or vanish: at most 18
   digits before the point, 40 behind it, and two in the exponent. #}
{% macro vector_pattern() -%}
    {%- set blank = '[ ' ~ '\\t\\n\\r]*' -%}
    {%- set number = '-?(?:0|[1-9][0-9]{0,17})(?:[.][0-9]{1,40})?(?:[eE][-+]?[0-9]{1,2})?' -%}
    {%- set pattern =
        "'^" ~ blank ~ '\\[' ~ blank ~ number ~ '(?:' ~ blank ~ ',' ~ blank ~ number ~ ')*' ~ blank
        ~ '\\]' ~ blank ~ "$'" -%}
    {#- Spark reads a backslash in a literal as the beginning of a sign. -#}
    {{- pattern | replace('\\', '\\\\') if target.type == 'spark' else pattern -}}
{%- endmacro %}


{# The vector a text holds as an array of doubles; null for anything else: broken text,
   null elements, NaN, texts, nested or empty arrays. Never an error. #}
{% macro parse_vector(text) -%}
    {%- if target.type == 'postgres' -%}
        case
            when {{ text }} ~ {{ vector_pattern() }}
                then cast(string_to_array(btrim({{ text }}, E' \t\n\r[]'), ',') as double precision[])
        end
    {%- elif target.type == 'spark' -%}
        case when {{ text }} rlike {{ vector_pattern() }} then from_json({{ text }}, 'array<double>') end
    {%- else -%}
        {# The text is blanked before the cast: list functions look at the elements of all
           rows at once and would stumble over nulls of rows that are none of theirs. #}
        try_cast(
            case when regexp_full_match({{ text }}, {{ vector_pattern() }}) then {{ text }} end as double[]
        )
    {%- endif -%}
{%- endmacro %}


{# Number of elements; null for null. #}
{% macro vector_size(vector) -%}
    cast({{ array_size(vector) }} as bigint)
{%- endmacro %}


{# Inner product; null for null and for vectors of different size. Unnested in a select list,
   arrays take half the time they take in a from clause of Postgres. #}
{% macro vector_dot(one, other) -%}
    {%- if target.type == 'postgres' -%}
        case
            when cardinality({{ one }}) = cardinality({{ other }})
                then (select sum(x * y) from (select unnest({{ one }}) as x, unnest({{ other }}) as y) as pairs)
        end
    {%- elif target.type == 'spark' -%}
        case
            when array_size({{ one }}) = array_size({{ other }})
            then aggregate(
                {{ vector_pairs(one, other) }}, cast(0 as double), (total, pair) -> total + pair.`0` * pair.`1`
            )
        end
    {%- else -%}
        case when len({{ one }}) = len({{ other }}) then list_inner_product({{ one }}, {{ other }}) end
    {%- endif -%}
{%- endmacro %}


{# On Spark: the elements of two vectors beside each other, as `0` and `1`: so they are called where
   they have no name of their own. Functions of elements see nothing else of a row (on Sail). #}
{% macro vector_pairs(one, other) -%}
    arrays_zip(transform({{ one }}, x -> x), transform({{ other }}, x -> x))
{%- endmacro %}


{# Length of a vector; null for null. #}
{% macro vector_norm(vector) -%}
    sqrt({{ vector_dot(vector, vector) }})
{%- endmacro %}


{# The vector of length 1 in the same direction; null for null and for the zero vector,
   which has none. #}
{% macro vector_unit(vector) -%}
    {%- if target.type == 'postgres' -%}
        (
            select array_agg(part.x / part.norm order by part.place)
            from (
                select
                    elements.x,
                    elements.place,
                    nullif(sqrt(sum(elements.x * elements.x) over ()), 0) as norm
                from unnest({{ vector }}) with ordinality as elements (x, place)
            ) as part
            where part.norm is not null
        )
    {%- elif target.type == 'spark' -%}
        case
            when {{ vector_norm(vector) }} > 0
            then transform(
                {{ vector_pairs(vector, 'array_repeat(' ~ vector_norm(vector) ~ ', array_size(' ~ vector ~ '))') }},
                pair -> pair.`0` / pair.`1`
            )
        end
    {%- else -%}
        {#- The length is in a list of its own so that it is computed once, and the case stands
           within: around the whole it leaves nulls that inner products stumble over. -#}
        list_transform(
            [{{ vector_norm(vector) }}],
            lambda n: list_transform(case when n > 0 then {{ vector }} end, lambda x: x / n)
        )[1]
    {%- endif -%}
{%- endmacro %}


{# Cosine of two vectors of length 1. Rounded to twelve decimals: what is left of the
   errors of addition is cut off, so that engines agree at right angles and nothing is
   above 1. #}
{% macro unit_cosine(one, other) -%}
    {%- set double = type_double() -%}
    (round(cast({{ vector_dot(one, other) }} * 1e12 as {{ double }})) / cast(1e12 as {{ double }}))
{%- endmacro %}


{# Cosine of two vectors; null for null, different sizes and zero vectors. #}
{% macro vector_cosine(one, other) -%}
    {%- set double = type_double() -%}
    {%- set lengths = 'nullif(' ~ vector_norm(one) ~ ' * ' ~ vector_norm(other) ~ ', 0)' -%}
    (round(cast({{ vector_dot(one, other) }} / {{ lengths }} * 1e12 as {{ double }})) / cast(1e12 as {{ double }}))
{%- endmacro %}


{# What the nearest of items are chosen by: the cosine to nine decimals, since engines differ in
   the last bits of a sum, then the lower number. As a whole number, of which `largest` keeps
   some while pairs go by; the number of the item is read off it by nearest_item. #}
{% macro nearness(cosine, item) -%}
    (cast(round(cast({{ cosine }} * 1e9 as {{ type_double() }})) as bigint) * 4294967296 + 4294967295 - {{ item }})
{%- endmacro %}


{% macro nearest_item(nearness) -%}
    (4294967295 - ({{ nearness }} & 4294967295))
{%- endmacro %}


{# One text for an item's vector of the row's reference_type, model and dimension. Of a join by
   several columns planners believe that the second leaves hardly a row of what the first found,
   and join by the first alone. #}
{% macro vector_name(id) -%}
    (cast({{ id }} as {{ type_text() }}) || cast(dimension as {{ type_text() }}) || ' ' || length(model) || ' ' || model || reference_type)
{%- endmacro %}


{# Items of one type and model that are compared with each other, the newest, on this engine. #}
{% macro compared_items() -%}
    {%- set items = var('exact_similarity_items') -%}
    {{ items[target.type] if items is mapping else items }}
{%- endmacro %}
