{# Statistics of trends, as expressions over sums and medians that a model has made.
   Each is checked against NumPy, SciPy or pymannkendall. #}

{# A hashtag as the marts spell it: lower case, without # and without white space around. #}
{% macro plain_tag(tag) -%}
    lower({{ trimmed(without_leading(trimmed(tag), '#')) }})
{%- endmacro %}


{# The UTC day of a time. #}
{% macro utc_day(time) -%}
    cast({{ in_utc(time) }} as date)
{%- endmacro %}


{# How far a value lies from the median of earlier ones, in robust standard deviations.
   Where more than half of them are equal (MAD 0), by their mean distance from the median
   instead; null under seven earlier values and where all of them are equal. #}
{% macro robust_z(value, median, mad, mean_deviation, earlier) -%}
    case
        when {{ earlier }} < 7 then null
        when {{ mad }} > 1e-12 then 0.6745 * ({{ value }} - {{ median }}) / {{ mad }}
        when {{ mean_deviation }} > 1e-12 then ({{ value }} - {{ median }}) / (1.253314 * {{ mean_deviation }})
    end
{%- endmacro %}


{# How far a value lies from the weighted mean of earlier ones, in weighted standard
   deviations, from the sums of w, w^2, w x and w x^2. Null where the weights amount to
   fewer than five values, or where these hardly differ. #}
{% macro ewma_z(value, weights, squared_weights, weighted, weighted_squares) -%}
    {%- set mean = '(' ~ weighted ~ ' / ' ~ weights ~ ')' -%}
    {%- set square = '(' ~ weighted_squares ~ ' / ' ~ weights ~ ')' -%}
    case
        when {{ weights }} * {{ weights }} >= 5 * {{ squared_weights }}
            and {{ square }} - {{ mean }} * {{ mean }} > 1e-9 * {{ square }}
            then ({{ value }} - {{ mean }}) / sqrt({{ square }} - {{ mean }} * {{ mean }})
    end
{%- endmacro %}


{# What a share adds to the divergence of today's shares from the expected ones:
   P ln(P / P'), where a count of none is taken for one half. #}
{% macro kl_trend(seen, total, expected, expected_total) -%}
    {%- set now = ratio('greatest(' ~ seen ~ ', 0.5)', total) -%}
    {%- set before = ratio('greatest(' ~ expected ~ ', 0.5)', expected_total) -%}
    case when {{ total }} > 0 and {{ expected_total }} > 0 then {{ now }} * ln({{ now }} / {{ before }}) end
{%- endmacro %}


{# Logarithm of a share with half a count added, so that none has one too. #}
{% macro log_share(seen, total) -%}
    ln((cast({{ seen }} as {{ type_double() }}) + 0.5) / ({{ total }} + 1.0))
{%- endmacro %}


{# Mann and Kendall's z of a trend in n values: their pairs' signs summed, with the
   correction for ties (the sum of c (c - 1) (2 c + 5) over groups of c equal values) and
   for continuity. Null under eight values; 0 where rises and falls are as many. #}
{% macro mann_kendall_z(signs, n, ties) -%}
    case
        when {{ n }} < 8 then null
        when {{ signs }} = 0 then cast(0 as {{ type_double() }})
        else ({{ signs }} - sign(cast({{ signs }} as {{ type_double() }}))) / nullif(sqrt(
            cast({{ n }} * ({{ n }} - 1) * (2 * {{ n }} + 5) - {{ ties }} as {{ type_double() }}) / 18
        ), 0)
    end
{%- endmacro %}


{# How new something is: 1 when first seen, half of it after seven days. #}
{% macro novelty(days) -%}
    {{ half_life_weight(days, 7) }}
{%- endmacro %}


{# Logarithm of a share by an earlier one, part of a video of the day added to both: shares
   of few videos differ by chance, and one of none has a logarithm, too. #}
{% macro log_lift(share, past_share, videos) -%}
    {%- set added = '(' ~ var('trend_added_videos') ~ ' / cast(' ~ videos ~ ' as ' ~ type_double() ~ '))' -%}
    ln(({{ share }} + {{ added }}) / ({{ past_share }} + {{ added }}))
{%- endmacro %}


{# What the lift of a tag depends on, and what a platform without a past of its own takes:
   fitted on the first half of the real videos that come with the demo. #}
{% macro lift_coefficients() -%}
    {{ return({'constant': -0.1, 'rise': 0.65, 'listed': -0.25}) }}
{%- endmacro %}


{# How much is known of the lift of a tag by so many videos, of 0 to 1: its variance is
   that of a tag of very many by this. #}
{% macro lift_weight(videos) -%}
    {{ ratio(videos, '(' ~ videos ~ ' + 3)') }}
{%- endmacro %}


{# The logarithm of a lift as it is scored: where seven chances in ten are to come above it,
   and drawn toward none, the more the larger it is and the fewer videos show it. #}
{% macro cautious_log_lift(expected, deviation, videos) -%}
    {%- set likely = '(' ~ expected ~ ' - 0.5244 * ' ~ deviation ~ ')' -%}
    {{ likely }} * {{ ratio(videos, videos ~ ' + 13 * greatest(' ~ likely ~ ', 0)') }}
{%- endmacro %}


{# How much a hashtag trends, 0 to 100, from its cautious_log_lift: 50 at breakout_lift. #}
{% macro trend_score(log_lift) -%}
    100 / (1 + exp(4 * (ln(cast({{ var('breakout_lift') }} as {{ type_double() }})) - {{ log_lift }})))
{%- endmacro %}
