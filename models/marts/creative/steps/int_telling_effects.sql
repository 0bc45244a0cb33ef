{{ config(materialized='view') }}

with

effects as (

    select
        kind,
        tag,
        posts_with,
        shrunk_lift,
        q_value,
        {{ z95() }}
        * sqrt({{ shrunk_variance('ln(1 + shrunk_lift)', 'lift_log', 'se') }}) as half_width
    from {{ ref('creative_tag_effects') }}
    where platform = 'all'
        and q_value <= {{ var('brief_q_value') }}

),

final as (

    select
        kind,
        tag,
        posts_with,
        shrunk_lift,
        exp(ln(1 + shrunk_lift) - half_width) - 1 as shrunk_lo,
        exp(ln(1 + shrunk_lift) + half_width) - 1 as shrunk_hi,
        q_value,
        {{ spoken_tag('kind', 'tag') }} as spoken,
        case when shrunk_lift > 0 then 'helps' else 'hurts' end as list,
        row_number() over (
            partition by shrunk_lift > 0
            order by
                {{ significant('abs(' ~ log_of_lift('shrunk_lift') ~ ')') }} desc,
                kind asc,
                tag asc
        ) as place
    from effects
    where
        {#- Whether a post must say that it is paid for is not a question of views. #}
        not (
            kind = 'hashtag'
            and tag in (
                {%- for tag in var('disclosure_tags') %}
                '{{ tag }}'{% if not loop.last %},{% endif %}
                {%- endfor %}
            )
        )

)

select * from final
