{{ config(materialized='view') }}

with

effects as (

    select * from {{ ref('creative_tag_effects') }}
    where platform = 'all'

),

final as (

    select
        kind,
        tag,
        posts_with,
        shrunk_lift,
        {#- Shrunk as much as the effect is: its deviation given how far tags differ. #}
        exp(ln(1 + shrunk_lift) - {{ z95() }} * se * sqrt(ln(1 + shrunk_lift) / nullif(lift_log, 0))) - 1
            as shrunk_lo,
        exp(ln(1 + shrunk_lift) + {{ z95() }} * se * sqrt(ln(1 + shrunk_lift) / nullif(lift_log, 0))) - 1
            as shrunk_hi,
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
    where q_value <= {{ var('brief_q_value') }}
        {#- Whether a post must say that it is paid for is not a question of views. #}
        and not (
            kind = 'hashtag'
            and tag in (
                {%- for tag in var('disclosure_tags') %}
                '{{ tag }}'{% if not loop.last %},{% endif %}
                {%- endfor %}
            )
        )

)

select * from final
