{#- Ridge regressions of lifts on tags, one for each platform and kind: on the tags of the kind,
   and on structures and hooks. Posts are added up by what they were made with first, since few
   differ in that; the equations are those of the most used tags, swept one by one (Goodnight
   1979: what is swept is the inverse's negative). Later tags are adjusted for these. -#}
{%- set double = type_double() -%}
{%- set largest = var('adjusted_tags') -%}
{%- set designs = {
    'pattern': ('posts.pattern_id', ['structure', 'hooks']),
    'script': ('posts.choices', ['structure']),
    'hashtag': ('posts.hashtags', ['structure', 'hooks']),
} -%}

with

pattern_tags as (

    select
        pattern_id as made_with,
        kind,
        tag
    from {{ ref('int_pattern_tags') }}

),

script_tags as (

    select
        choices as made_with,
        'variable' as kind,
        tag
    from {{ ref('int_choice_tags') }}

),

hashtag_tags as (

    select
        hashtags as made_with,
        'hashtag' as kind,
        tag
    from {{ ref('int_hashtag_tags') }}

),

structures as (

    select
        made_with,
        min(tag) as structure
    from pattern_tags
    where kind = 'structure'
    group by made_with

),

hooks as (

    select
        made_with,
        {{ distinct_sorted_array('tag') }} as hooks
    from script_tags
    where tag like 'hook%=%'
    group by made_with

),

posts as {{ computed_once() }} (

    select
        tagged.platform,
        tagged.pattern_id,
        structures.structure,
        tagged.choices,
        hooks.hooks,
        tagged.hashtags,
        tagged.lift
    from {{ ref('int_tagged_posts') }} as tagged
    left join structures on tagged.pattern_id = structures.made_with
    left join hooks on tagged.choices = hooks.made_with
    where tagged.lift is not null

),

{% for source, (made_with, beside) in designs.items() -%}
{{ source }}_designs as {{ computed_once() }} (

    select
        grouped.*,
        row_number() over (
            order by
                grouped.platform,
                grouped.made_with
                {%- for column in beside %},
                grouped.{{ column }}
                {%- endfor %}
        ) as design
    from (
        select
            posts.platform,
            {{ made_with }} as made_with,
            {%- for column in beside %}
            posts.{{ column }},
            {%- endfor %}
            cast(count(*) as {{ double }}) as n,
            {{ exact_part('posts.lift') }} as total,
            {{ exact_part('posts.lift * posts.lift') }} as squares
        from posts
        where {{ made_with }} is not null
        group by
            posts.platform,
            {{ made_with }}
            {%- for column in beside %},
            posts.{{ column }}
            {%- endfor %}
    ) as grouped

),

{{ source }}_own as (

    select
        tags.kind,
        designs.design,
        tags.kind as tag_kind,
        tags.tag
    from {{ source }}_designs as designs
    inner join {{ source }}_tags as tags on designs.made_with = tags.made_with

),

{{ source }}_kinds as (

    select distinct
        kind,
        design
    from {{ source }}_own

),

{{ source }}_described as {{ computed_once() }} (

    select
        designs.*,
        kinds.kind
    from {{ source }}_kinds as kinds
    inner join {{ source }}_designs as designs on kinds.design = designs.design

),

{% endfor -%}
{# Which tags a design has, its own and those beside them. #}
elements as {{ computed_once() }} (

    {% for source, (made_with, beside) in designs.items() -%}
    select
        kind,
        design,
        tag_kind,
        tag
    from {{ source }}_own
    {%- if 'structure' in beside %}
    union all
    select
        kind,
        design,
        'structure',
        structure
    from {{ source }}_described
    where structure is not null
        and kind <> 'structure'
    {%- endif %}
    {%- if 'hooks' in beside %}
    union all
    select
        kind,
        design,
        'variable',
        {{ array_elements('hooks') }}
    from {{ source }}_described
    where hooks is not null
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

described as {{ computed_once() }} (

    {% for source in designs -%}
    select
        kind,
        design,
        platform,
        n,
        total,
        squares
    from {{ source }}_described
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{# Sums are of each platform, and of all together. #}
counted as (

    select
        coalesce(described.platform, 'all') as platform,
        elements.kind,
        elements.tag_kind,
        elements.tag,
        sum(described.n) as n,
        cast(sum(described.total) as {{ double }}) as total
    from elements
    inner join described
        on elements.kind = described.kind
        and elements.design = described.design
    group by rollup(described.platform), elements.kind, elements.tag_kind, elements.tag

),

systems as (

    select
        coalesce(platform, 'all') as platform,
        kind,
        sum(n) as n,
        {{ exact_sum('total') }} as total,
        {{ exact_sum('squares') }} as squares
    from described
    group by rollup(platform), kind

),

{# Tags with enough posts on both sides, less the mean of all posts. #}
usable as (

    select
        counted.platform,
        counted.kind,
        counted.tag_kind,
        counted.tag,
        counted.n,
        systems.n as posts,
        counted.n - counted.n * counted.n / systems.n as own,
        counted.total - counted.n * systems.total / systems.n as response,
        systems.squares - systems.total * systems.total / systems.n as response_squares
    from counted
    inner join systems
        on counted.platform = systems.platform
        and counted.kind = systems.kind
    where counted.n >= {{ var('min_tag_posts') }}
        and systems.n - counted.n >= {{ var('min_tag_posts') }}
        and systems.squares - systems.total * systems.total / systems.n > 1e-9

),

{# How far tags differ beyond their errors, one at a time. #}
variances as (

    select
        platform,
        kind,
        min(posts) as posts,
        min(response_squares) as response_squares,
        min(response_squares / (posts - 1)) as noise,
        case
            when count(*) >= {{ var('min_spread_tags') }}
            then greatest(
                    {{ exact_mean(
                        'response * response / (own * own) - response_squares / (posts - 1) / own'
                    ) }},
                    {{ var('least_spread') ** 2 }}
                )
            else {{ var('lift_prior_sd') ** 2 }}
        end as spread
    from usable
    group by platform, kind

),

spreads as (

    select
        platform,
        kind,
        posts,
        response_squares,
        noise / spread as ridge
    from variances

),

{# The values of one choice, of which a post has one; else a tag alone. #}
tags as {{ computed_once() }} (

    select
        *,
        case
            when tag_kind = 'structure' then ''
            when tag_kind = 'variable' then split_part(tag, '=', 1)
            else tag
        end as choice,
        row_number() over (
            partition by platform, kind order by n desc, tag_kind asc, tag asc
        ) as place
    from usable

),

wanted as (

    select distinct
        kind,
        tag_kind,
        tag
    from tags

),

used as {{ computed_once() }} (

    select elements.*
    from elements
    inner join wanted
        on elements.kind = wanted.kind
        and elements.tag_kind = wanted.tag_kind
        and elements.tag = wanted.tag

),

together as (

    select
        coalesce(described.platform, 'all') as platform,
        one.kind,
        one.tag_kind,
        one.tag,
        other.tag_kind as other_kind,
        other.tag as other_tag,
        sum(described.n) as n
    from used as one
    inner join used as other
        on one.kind = other.kind
        and one.design = other.design
    inner join described
        on one.kind = described.kind
        and one.design = described.design
    where one.tag_kind <> other.tag_kind
        or one.tag <> other.tag
    group by
        rollup(described.platform), one.kind, one.tag_kind, one.tag, other.tag_kind, other.tag

),

{# Place 0 is the lift. #}
swept_0 as {{ computed_once() }} (

    select
        one.platform,
        one.kind,
        one.place as i,
        other.place as j,
        case
            when one.place = other.place then one.own + spreads.ridge
            else coalesce(together.n, 0) - one.n * other.n / one.posts
        end as v
    from tags as one
    inner join tags as other
        on one.platform = other.platform
        and one.kind = other.kind
    inner join spreads
        on one.platform = spreads.platform
        and one.kind = spreads.kind
    left join together
        on one.platform = together.platform
        and one.kind = together.kind
        and one.tag_kind = together.tag_kind
        and one.tag = together.tag
        and other.tag_kind = together.other_kind
        and other.tag = together.other_tag
    where one.place <= {{ largest }}
        or other.place <= {{ largest }}
        or one.place = other.place
    union all
    select
        platform,
        kind,
        place,
        0,
        response
    from tags
    union all
    select
        platform,
        kind,
        0,
        place,
        response
    from tags
    union all
    select
        platform,
        kind,
        0,
        0,
        response_squares
    from spreads

),

{# The row that is swept is its column, too: the matrix stays symmetric. #}
{% for step in range(1, largest + 1) -%}
{%- set pivot = array_item('lines.cells', step + 1) -%}
line_{{ step }} as (

    select
        platform,
        kind,
        {{ ordered_array('v', 'j') }} as cells
    from swept_{{ step - 1 }}
    where i = {{ step }}
    group by platform, kind

),

swept_{{ step }} as {{ computed_once() }} (

    select
        cell.platform,
        cell.kind,
        cell.i,
        cell.j,
        case
            when lines.cells is null then cell.v
            when cell.i = {{ step }} and cell.j = {{ step }} then -1 / {{ pivot }}
            when cell.i = {{ step }} or cell.j = {{ step }} then cell.v / {{ pivot }}
            else cell.v - {{ array_item('lines.cells', 'cell.i + 1') }}
                * {{ array_item('lines.cells', 'cell.j + 1') }} / {{ pivot }}
        end as v
    from swept_{{ step - 1 }} as cell
    left join line_{{ step }} as lines
        on cell.platform = lines.platform
        and cell.kind = lines.kind

),

{% endfor -%}
{# A tag against what there is without it: of a choice, against its other values as often as
   they are used. #}
contrasts as {{ computed_once() }} (

    select
        one.platform,
        one.kind,
        one.tag,
        other.place,
        case
            when one.place = other.place then cast(1 as {{ double }})
            else -other.n
                / (sum(other.n) over (partition by one.platform, one.kind, one.tag) - one.n)
        end as share
    from tags as one
    inner join tags as other
        on one.platform = other.platform
        and one.kind = other.kind
        and one.tag_kind = other.tag_kind
        and one.choice = other.choice
        and (
            one.place = other.place
            or (one.place <= {{ largest }} and other.place <= {{ largest }})
        )
    where one.kind = one.tag_kind

),

solved as (

    select
        platform,
        kind,
        i,
        j,
        case when i <= {{ largest }} then -v else 1 / v end as v
    from swept_{{ largest }}
    where i > 0
        and j > 0

),

coefficients as (

    select
        effect.platform,
        effect.kind,
        effect.i as place,
        case
            when effect.i <= {{ largest }} then effect.v
            else effect.v * solved.v
        end as coefficient
    from swept_{{ largest }} as effect
    inner join solved
        on effect.platform = solved.platform
        and effect.kind = solved.kind
        and effect.i = solved.i
        and effect.i = solved.j
    where effect.j = 0

),

errors as (

    select
        one.platform,
        one.kind,
        one.tag,
        {{ exact_sum('one.share * other.share * solved.v', 18) }} as inverse
    from contrasts as one
    inner join contrasts as other
        on one.platform = other.platform
        and one.kind = other.kind
        and one.tag = other.tag
    inner join solved
        on one.platform = solved.platform
        and one.kind = solved.kind
        and one.place = solved.i
        and other.place = solved.j
    group by one.platform, one.kind, one.tag

),

effects as (

    select
        contrasts.platform,
        contrasts.kind,
        contrasts.tag,
        {{ exact_sum('contrasts.share * coefficients.coefficient') }} as adjusted_log
    from contrasts
    inner join coefficients
        on contrasts.platform = coefficients.platform
        and contrasts.kind = coefficients.kind
        and contrasts.place = coefficients.place
    group by contrasts.platform, contrasts.kind, contrasts.tag

),

final as (

    select
        effects.platform,
        effects.kind,
        effects.tag,
        effects.adjusted_log,
        sqrt(greatest(errors.inverse, 0) * noise.v / (spreads.posts - 1)) as adjusted_se
    from effects
    inner join errors
        on effects.platform = errors.platform
        and effects.kind = errors.kind
        and effects.tag = errors.tag
    inner join spreads
        on effects.platform = spreads.platform
        and effects.kind = spreads.kind
    inner join swept_{{ largest }} as noise
        on effects.platform = noise.platform
        and effects.kind = noise.kind
        and noise.i = 0
        and noise.j = 0

)

select * from final
