{#- What a post has its tags from, the column by which, and since when both are known. Posts
   are added up by these and by script first: they are far fewer than posts times tags. -#}
{%- set double = type_double() -%}
{%- set sources = {
    'pattern': ('pattern_id', 'known_at'),
    'script': ('choices', 'choices_known_at'),
    'hashtag': ('hashtags', 'known_at'),
} -%}
{%- set by_script = [
    ('script_with', 'tagged', ', tag'),
    ('script_of', 'described', ''),
] -%}

with

posts as (

    select * from {{ ref('int_tagged_posts') }}

),

pattern_tags as (

    select
        pattern_id as made_with,
        kind,
        '' as choice,
        tag,
        known_at
    from {{ ref('int_pattern_tags') }}

),

{# Values of one choice are compared with each other only. #}
script_tags as (

    select
        choices as made_with,
        'variable' as kind,
        choice,
        tag,
        cast(null as {{ type_timestamptz() }}) as known_at
    from {{ ref('int_choice_tags') }}

),

hashtag_tags as (

    select
        hashtags as made_with,
        'hashtag' as kind,
        '' as choice,
        tag,
        cast(null as {{ type_timestamptz() }}) as known_at
    from {{ ref('int_hashtag_tags') }}

),

{# Effects of tags beside those that travel with them. #}
adjustments as (

    select * from {{ ref('int_adjusted_tags') }}

),

{% for source, (made_with, known_at) in sources.items() -%}
{{ source }}_posts as {{ computed_once() }} (

    select
        platform,
        product_id,
        cluster,
        {{ made_with }} as made_with,
        count(lift) as n,
        {{ exact_part('lift') }} as total,
        {{ exact_part('lift * lift') }} as squares,
        max({{ known_at }}) as known_at
    from posts
    where {{ made_with }} is not null
    group by platform, product_id, cluster, {{ made_with }}

),

{{ source }}_kinds as (

    select distinct
        made_with,
        kind,
        choice
    from {{ source }}_tags

),

{% endfor -%}
tagged as (

    {% for source in sources -%}
    select
        posts.platform,
        posts.product_id,
        posts.cluster,
        tags.kind,
        tags.choice,
        tags.tag,
        posts.n,
        posts.total,
        posts.squares,
        greatest(posts.known_at, tags.known_at) as known_at
    from {{ source }}_posts as posts
    inner join {{ source }}_tags as tags on posts.made_with = tags.made_with
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{# The posts a tag is compared with: those of which a tag of the kind is known. #}
described as (

    {% for source in sources -%}
    select
        posts.platform,
        posts.product_id,
        posts.cluster,
        kinds.kind,
        kinds.choice,
        posts.n,
        posts.total,
        posts.squares
    from {{ source }}_posts as posts
    inner join {{ source }}_kinds as kinds on posts.made_with = kinds.made_with
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{# Posts of one script, of one product, stand together; on each platform, and on all. #}
{% for step, source, more in by_script -%}
{{ step }} as {{ computed_once() }} (

    select
        coalesce(platform, 'all') as platform,
        product_id,
        cluster,
        kind,
        choice{{ more }},
        cast(sum(n) as bigint) as n,
        cast(coalesce(sum(total), 0) as {{ double }}) as total,
        cast(coalesce(sum(squares), 0) as {{ double }}) as squares
    from {{ source }}
    group by rollup(platform), product_id, cluster, kind, choice{{ more }}

),

{% endfor -%}
known as (

    select
        coalesce(platform, 'all') as platform,
        kind,
        max(known_at) as known_at
    from tagged
    group by rollup(platform), kind

),

{# Sums of a script's posts with the tag, multiplied with themselves and with those of all of it. #}
with_tag as (

    select
        tagged.platform,
        tagged.kind,
        tagged.choice,
        tagged.tag,
        cast(sum(tagged.n) as bigint) as n,
        count(distinct case when tagged.n > 0 then tagged.product_id end) as products,
        count(case when tagged.n > 0 then 1 end) as scripts,
        count(case when tagged.n > 0 and tagged.n = every.n then 1 end) as whole_scripts,
        {{ exact_sum('tagged.total') }} as total,
        {{ exact_sum('tagged.squares') }} as squares,
        cast(sum(tagged.n * tagged.n) as {{ double }}) as n_n,
        {{ exact_sum('tagged.n * tagged.total') }} as n_total,
        {{ exact_sum('tagged.total * tagged.total') }} as total_total,
        cast(coalesce(sum(tagged.n * every.n), 0) as {{ double }}) as n_all,
        coalesce({{ exact_sum('tagged.n * every.total') }}, 0) as n_all_total,
        coalesce({{ exact_sum('tagged.total * every.n') }}, 0) as total_all,
        coalesce({{ exact_sum('tagged.total * every.total') }}, 0) as total_all_total
    from script_with as tagged
    left join script_of as every
        on tagged.platform = every.platform
        and tagged.product_id = every.product_id
        and tagged.cluster = every.cluster
        and tagged.kind = every.kind
        and tagged.choice = every.choice
    group by tagged.platform, tagged.kind, tagged.choice, tagged.tag

),

with_kind as (

    select
        platform,
        kind,
        choice,
        cast(sum(n) as bigint) as n,
        count(case when n > 0 then 1 end) as scripts,
        {{ exact_sum('total') }} as total,
        {{ exact_sum('squares') }} as squares,
        cast(sum(n * n) as {{ double }}) as n_n,
        {{ exact_sum('n * total') }} as n_total,
        {{ exact_sum('total * total') }} as total_total
    from script_of
    group by platform, kind, choice

),

{# Posts with the tag (1) and without it (0), and their scripts' sums, squared and multiplied. #}
sides as {{ computed_once() }} (

    select
        with_tag.platform,
        with_tag.kind,
        with_tag.tag,
        with_tag.products,
        with_tag.n as n1,
        coalesce(with_kind.n, 0) - with_tag.n as n0,
        with_kind.scripts,
        with_tag.scripts as scripts1,
        coalesce(with_kind.scripts, 0) - with_tag.whole_scripts as scripts0,
        with_tag.total as total1,
        with_kind.total - with_tag.total as total0,
        with_tag.squares as squares1,
        with_kind.squares - with_tag.squares as squares0,
        with_tag.n_n as n1_n1,
        with_tag.n_total as n1_total1,
        with_tag.total_total as total1_total1,
        with_kind.n_n - 2 * with_tag.n_all + with_tag.n_n as n0_n0,
        with_kind.n_total - with_tag.n_all_total - with_tag.total_all + with_tag.n_total
            as n0_total0,
        with_kind.total_total - 2 * with_tag.total_all_total + with_tag.total_total
            as total0_total0,
        with_tag.n_all - with_tag.n_n as n1_n0,
        with_tag.n_all_total - with_tag.n_total as n1_total0,
        with_tag.total_all - with_tag.n_total as n0_total1,
        with_tag.total_all_total - with_tag.total_total as total1_total0
    from with_tag
    left join with_kind
        on with_tag.platform = with_kind.platform
        and with_tag.kind = with_kind.kind
        and with_tag.choice = with_kind.choice

),

{# Of how many scripts with the same number of posts as much is learned. #}
means as {{ computed_once() }} (

    select
        *,
        total1 / n1 as mean1,
        total0 / n0 as mean0,
        n1 * n1 / n1_n1 as worth1,
        n0 * n0 / n0_n0 as worth0
    from sides
    where n1 >= {{ var('min_tag_posts') }}
        and n0 >= {{ var('min_tag_posts') }}
        and n1 * n1 >= {{ var('min_tag_scripts') }} * n1_n1
        and n0 * n0 >= {{ var('min_tag_scripts') }} * n0_n0

),

{# Squared errors of the two means: posts of one script lie on the same side of the mean more
   often than chance would have it, so that it is scripts whose sums are independent. What
   scripts with posts on both sides have in common falls out of the difference. And the error,
   were all posts independent. #}
compared as (

    select
        platform,
        kind,
        tag,
        scripts,
        worth1,
        worth0,
        mean1 - mean0 as lift_log,
        greatest(total1_total1 - 2 * mean1 * n1_total1 + mean1 * mean1 * n1_n1, 0)
        / n1 / n1 * worth1 / (worth1 - 1) as error1,
        greatest(total0_total0 - 2 * mean0 * n0_total0 + mean0 * mean0 * n0_n0, 0)
        / n0 / n0 * worth0 / (worth0 - 1) as error0,
        (
            total1_total0 - mean0 * n0_total1 - mean1 * n1_total0 + mean1 * mean0 * n1_n0
        ) / n1 / n0 as shared,
        greatest(squares1 - total1 * mean1, 0) / (n1 - 1) / n1
        + greatest(squares0 - total0 * mean0, 0) / (n0 - 1) / n0 as of_posts
    from means

),

{# Welch: unequal variances. Without any variance there is no error to speak of. #}
errors as (

    select
        platform,
        kind,
        tag,
        lift_log,
        sqrt(error1 + error0 - 2 * shared) as se,
        least(
            (error1 + error0) * (error1 + error0)
            / (error1 * error1 / (worth1 - 1) + error0 * error0 / (worth0 - 1)),
            scripts - 2
        ) as df,
        sqrt(greatest((error1 + error0 - 2 * shared) / nullif(of_posts, 0), 1)) as widening
    from compared
    where error1 + error0 - 2 * shared > 1e-12

),

tested as (

    select
        errors.*,
        {{ student_quantile(z95() | float, 'df') }} as t95,
        lift_log - {{ student_quantile(z95() | float, 'df') }} * se as lo,
        lift_log + {{ student_quantile(z95() | float, 'df') }} * se as hi,
        {{ student_two_sided('lift_log / se', 'df') }} as p_value
    from errors

),

{# How far tags of a kind really differ: the spread of their effects beyond their errors. #}
spreads as (

    select
        platform,
        kind,
        case
            when count(*) >= {{ var('min_spread_tags') }}
            then greatest(
                    {{ exact_mean('lift_log * lift_log - se * se') }},
                    {{ var('least_spread') ** 2 }}
                )
            else {{ var('lift_prior_sd') ** 2 }}
        end as variance
    from errors
    group by platform, kind

),

ranked as (

    select
        tested.*,
        row_number() over (
            partition by platform, kind order by {{ significant('p_value') }}, tag
        ) as place,
        count(*) over (partition by platform, kind) as tests
    from tested

),

{# Benjamini and Hochberg: no q value is above that of a larger p value. None is below its
   own p value either: p values that are ranked as equal differ a little, and those next to
   nothing, all ranked as 0, by many powers of ten. #}
adjusted as (

    select
        platform,
        kind,
        tag,
        least(greatest(min(p_value * tests / place) over (
            partition by platform, kind order by place desc
            rows between unbounded preceding and current row
        ), p_value), 1) as q_value
    from ranked

),

final as (

    select
        sides.platform,
        sides.kind,
        sides.tag,
        sides.n1 as posts_with,
        sides.n0 as posts_without,
        sides.products,
        cast(compared.lift_log as {{ type_double() }}) as lift_log,
        cast(tested.se as {{ type_double() }}) as se,
        cast(tested.lo as {{ type_double() }}) as lo,
        cast(tested.hi as {{ type_double() }}) as hi,
        cast(tested.p_value as {{ type_double() }}) as p_value,
        cast(adjusted.q_value as {{ type_double() }}) as q_value,
        cast(exp(
            tested.lift_log * spreads.variance / (spreads.variance + tested.se * tested.se)
        ) - 1 as {{ type_double() }}) as shrunk_lift,
        known.known_at,
        exp(adjustments.adjusted_log) - 1 as adjusted_lift,
        exp(
            adjustments.adjusted_log - tested.t95 * tested.widening * adjustments.adjusted_se
        ) - 1 as adjusted_lo,
        exp(
            adjustments.adjusted_log + tested.t95 * tested.widening * adjustments.adjusted_se
        ) - 1 as adjusted_hi,
        sides.scripts1 as scripts_with,
        sides.scripts0 as scripts_without,
        {{ is_total('sides.platform') }} as is_total
    from sides
    inner join known on sides.platform = known.platform and sides.kind = known.kind
    left join compared
        on sides.platform = compared.platform
        and sides.kind = compared.kind
        and sides.tag = compared.tag
    left join tested
        on sides.platform = tested.platform
        and sides.kind = tested.kind
        and sides.tag = tested.tag
    left join adjusted
        on sides.platform = adjusted.platform
        and sides.kind = adjusted.kind
        and sides.tag = adjusted.tag
    left join spreads on sides.platform = spreads.platform and sides.kind = spreads.kind
    left join adjustments
        on tested.platform = adjustments.platform
        and tested.kind = adjustments.kind
        and tested.tag = adjustments.tag

)

select * from final
