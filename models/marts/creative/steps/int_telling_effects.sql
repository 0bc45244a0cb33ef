{{ config(materialized='view') }}

with

effects as (

    select
        kind,
        tag,
        posts_with,
        adjusted_lift,
        adjusted_lo,
        adjusted_hi,
        q_value,
        {{ log_of_lift('adjusted_lift') }} as adjusted_log,
        {{ deviation_of_lift('adjusted_lo', 'adjusted_hi') }} as deviation
    from {{ ref('creative_tag_effects') }}
    where platform = 'all'
        {#- Beside the tags that travel with it, a tag may turn out to do the opposite. #}
        and adjusted_lift * lift_log > 0

),

weighed as (

    select
        *,
        q_value <= {{ var('brief_q_value') }} as is_told,
        coalesce(
            {{ normal_below('(abs(adjusted_log) / nullif(deviation, 0))') }}, 1
        ) as chance
    from effects

),

final as (

    select
        kind,
        tag,
        posts_with,
        adjusted_lift,
        adjusted_lo,
        adjusted_hi,
        q_value,
        chance,
        is_told,
        {{ spoken_tag('kind', 'tag') }} as spoken,
        case when adjusted_lift > 0 then 'helps' else 'hurts' end as list,
        row_number() over (
            partition by adjusted_lift > 0
            order by
                case when is_told then 1 else 2 end asc,
                {{ significant('case when is_told then abs(adjusted_log) else chance end') }} desc,
                kind asc,
                tag asc
        ) as place
    from weighed
    where {{ at_least('chance', var('brief_chance')) }}
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
