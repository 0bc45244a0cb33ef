{{ config(tags=['macros']) }}

{# Vectors, evaluated: the engines must say the same. A failing row names the case. #}
{%- set double = type_double() -%}
{%- set texts = [
    ['plain', '[1, -2.5,3e2]', 3, 300.0120830899982],
    ['one element', '[4]', 1, 4],
    ['blanks', ' [ 3 , 4 ] ', 2, 5],
    ['as pgvector prints', '[3e-05,4e-05]', 2, 5e-5],
    ['zero', '[0, 0.0, -0]', 3, 0],
    ['as large as allowed', '[1e99, 1e99]', 2, 1.4142135623730951e99],
    ['as small as allowed', '[3e-99, 4e-99]', 2, 5e-99],
    ['exponent too large', '[1e999]', none, none],
    ['exponent too small', '[1e-999]', none, none],
    ['too many digits', '[' ~ '9' * 400 ~ ']', none, none],
    ['empty', '[]', none, none],
    ['nothing', '', none, none],
    ['broken', '[0.1, 0.2, oops', none, none],
    ['not closed', '[0.1, 0.2', none, none],
    ['closed twice', '[0.1]]', none, none],
    ['nested', '[[0.1]]', none, none],
    ['null element', '[0.1, null]', none, none],
    ['NaN', '[NaN, 0.1]', none, none],
    ['infinity', '[Infinity]', none, none],
    ['text elements', '["0.1"]', none, none],
    ['missing element', '[0.1,,0.2]', none, none],
    ['comma at the end', '[0.1,]', none, none],
    ['leading zero', '[00.1]', none, none],
    ['no digit', '[.5]', none, none],
    ['object', '{"a": 1}', none, none],
    ['number', '0.1', none, none],
    ['Postgres array', '{0.1,0.2}', none, none],
    ['digits of another script', '[١]', none, none],
] -%}
{%- set pairs = [
    ['same direction', '[1, 2]', '[2, 4]', 1],
    ['opposite', '[1, 2]', '[-3, -6]', -1],
    ['right angle', '[0.1, 0.2, 0.3]', '[0.3, 0, -0.1]', 0],
    ['45 degrees', '[1, 0]', '[1, 1]', 0.707106781187],
    ['large and small', '[1e99, 0]', '[1e-99, 1e-99]', 0.707106781187],
    ['other size', '[1, 2]', '[1, 2, 3]', none],
    ['zero', '[0, 0]', '[1, 2]', none],
    ['broken', '[0, oops', '[1, 2]', none],
] -%}

with

texts as (
    {% for name, text, size, norm in texts %}
    select
        '{{ name }}' as case_name,
        cast('{{ text }}' as text) as written,
        cast({{ size if size is not none else 'null' }} as bigint) as size,
        cast({{ norm if norm is not none else 'null' }} as {{ double }}) as norm
    union all
    {%- endfor %}
    select
        'white space',
        ' [1' || chr(9) || ',' || chr(10) || '2]' || chr(13),
        2,
        sqrt(cast(5 as {{ double }}))
    union all
    select
        'null',
        cast(null as text),
        null,
        null

),

parsed as (

    select
        texts.*,
        {{ parse_vector('written') }} as vector
    from texts

),

measured as (

    select
        case_name,
        size,
        norm,
        {{ vector_size('vector') }} as got_size,
        {{ vector_norm('vector') }} as got_norm,
        {{ vector_norm(vector_unit('vector')) }} as got_unit
    from parsed

),

pairs as (
    {% for name, one, other, cosine in pairs %}
    select
        '{{ name }}' as case_name,
        cast('{{ one }}' as text) as one_written,
        cast('{{ other }}' as text) as other_written,
        cast({{ cosine if cosine is not none else 'null' }} as {{ double }}) as cosine
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

vectors as (

    select
        pairs.*,
        {{ parse_vector('one_written') }} as one,
        {{ parse_vector('other_written') }} as other
    from pairs

),

compared as (

    select
        case_name,
        cosine,
        {{ vector_cosine('one', 'other') }} as got,
        {{ unit_cosine(vector_unit('one'), vector_unit('other')) }} as got_of_units
    from vectors

),

failures as (

    select
        case_name || ': size' as case_name,
        cast(got_size as text) as got
    from measured
    where got_size is distinct from size
    union all
    select
        case_name || ': norm',
        cast(got_norm as text)
    from measured
    where (got_norm is null) <> (norm is null) or abs(got_norm - norm) > 1e-12 * norm
    union all
    select
        case_name || ': length of the unit vector',
        cast(got_unit as text)
    from measured
    where (got_unit is null) <> (coalesce(norm, 0) = 0) or abs(got_unit - 1) > 1e-12
    union all
    select
        case_name || ': cosine',
        cast(got as text)
    from compared
    where (got is null) <> (cosine is null) or abs(got - cosine) > 2e-12
    union all
    select
        case_name || ': cosine of units',
        cast(got_of_units as text)
    from compared
    where (got_of_units is null) <> (cosine is null) or abs(got_of_units - cosine) > 2e-12

)

select * from failures
