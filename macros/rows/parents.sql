{# How a row finds its parents. A parent is described by one of the constructors below,
   a dictionary of SQL pieces that versioned_rows puts together:

    column      the column that holds the parent's key in the result
    resolves    columns that are looked up; empty when the staged row holds the key itself
    lookup      CTEs that resolve the reference
    join        join of those CTEs to `arrived`
    key         SQL expression of the resolved key
    given       SQL condition: the row names a parent at all
    absent      SQL condition: a required parent is not even named (default: column is null)
    known       SQL expression, not null when the parent is accepted: from when it is
    accepted    join that provides `known`
    reference   SQL text that names a missing parent
    derived     further columns of the lookup; `since` and `first_since` name those that say
                when the key used, and when any key, became known
    changed     selects of existing rows whose parent changed since the last run
#}

{# A plain foreign key: `column` holds the key of canonical table `to`. #}
{% macro parent(column, to, key=none) %}
    {%- set key = key or column -%}
    {%- set alias = 'parent_' ~ column -%}
    {%- set model = ref('int_' ~ to) -%}
    {{ return({
        'column': column,
        'resolves': [],
        'given': 'candidates.' ~ column ~ ' is not null',
        'known': alias ~ '._valid_from',
        'accepted': 'left join ' ~ model ~ ' as ' ~ alias ~ ' on candidates.' ~ column ~ ' = '
            ~ alias ~ '.' ~ key ~ " and " ~ alias ~ "._verdict = 'accepted'",
        'reference': "'" ~ to ~ " ' || cast(candidates." ~ column ~ " as text)",
        'changed': [changed_parent(model, 'existing.' ~ column ~ ' = changed.' ~ key)],
    }) }}
{% endmacro %}


{# A post, named by its key (perhaps one that lost to another) or by platform and
   external id, which is to say by its derived key. #}
{% macro parent_post(column='post_id') %}
    {%- set model = ref('int_published_posts') -%}
    {%- set alias = 'parent_' ~ column -%}
    {%- set by_name = derived_key('published_posts', [escaped('platform'), escaped('external_post_id')]) -%}
    {{ return({
        'column': column,
        'resolves': [column],
        'lookup': [
            {'name': 'references_to_posts', 'sql': 'select given_post_id as reference_id from arrived '
                ~ 'where given_post_id is not null union select ' ~ by_name ~ ' from arrived '
                ~ 'where platform is not null and external_post_id is not null'},
            {'name': 'posts_by_reference', 'sql': names_of(
                'published_posts', 'post_id', 'select reference_id from references_to_posts'
            )},
        ],
        'join': 'left join posts_by_reference as by_key on arrived.given_post_id = by_key.reference_id '
            ~ 'left join posts_by_reference as by_name on '
            ~ derived_key('published_posts', [escaped('arrived.platform'), escaped('arrived.external_post_id')])
            ~ ' = by_name.reference_id',
        'key': 'coalesce(by_key.post_id, by_name.post_id, arrived.given_post_id)',
        'parent_key': 'coalesce(by_key.post_id, by_name.post_id)',
        'given': '(candidates.given_post_id is not null or '
            ~ '(candidates.platform is not null and candidates.external_post_id is not null))',
        'absent': 'candidates.given_post_id is null and '
            ~ '(candidates.platform is null or candidates.external_post_id is null)',
        'known': alias ~ '._valid_from',
        'accepted': 'left join ' ~ model ~ ' as ' ~ alias ~ ' on candidates.' ~ column ~ ' = '
            ~ alias ~ '.post_id' ~ " and " ~ alias ~ "._verdict = 'accepted'",
        'reference': "'published_posts ' || coalesce(cast(candidates.given_post_id as text), "
            ~ "candidates.platform || '/' || candidates.external_post_id)",
        'changed': [
            changed_parent(model, 'existing.post_id = changed.post_id'),
            changed_parent(model, 'existing.given_post_id = changed._source_key'),
            changed_parent(model, 'existing.given_post_id = changed._natural'),
            changed_parent(model, 'existing.platform = changed.platform '
                ~ 'and existing.external_post_id = changed.external_post_id'),
        ],
    }) }}
{% endmacro %}


{# The row that `reference_type` and `given_reference_id` name together; an unknown type
   has no parent to wait for. Only posts and videos have keys that lose to others. #}
{% macro parent_reference() %}
    {%- set model = ref('int_references') -%}
    {%- set types = ref('reference_types') -%}
    {%- set wanted = 'select given_reference_id from arrived' -%}
    {%- set changed = [] -%}
    {%- for condition in [
        'existing.reference_id = changed.reference_id',
        'existing.given_reference_id = changed.source_key',
        'existing.given_reference_id = changed.natural_key',
    ] -%}
        {%- do changed.append(
            'select existing._load_id, existing._position from existing '
            ~ 'inner join ' ~ types ~ ' as known_type on existing.reference_type = known_type.reference_type '
            ~ 'inner join ' ~ model ~ ' as changed on known_type.table_name = changed.table_name '
            ~ 'and ' ~ condition ~ ' where changed.changed_build > (select build from consumed)'
        ) -%}
    {%- endfor -%}
    {{ return({
        'column': 'reference_id',
        'resolves': ['reference_id'],
        'lookup': [
            {'name': 'posts_by_reference', 'sql': names_of('published_posts', 'post_id', wanted)},
            {'name': 'videos_by_reference', 'sql': names_of('raw_videos', 'id', wanted)},
            {'name': 'arrived_types', 'sql': 'select reference_type, table_name from ' ~ types},
        ],
        'join': 'left join arrived_types on arrived.reference_type = arrived_types.reference_type '
            ~ "left join posts_by_reference on arrived_types.table_name = 'published_posts' "
            ~ 'and arrived.given_reference_id = posts_by_reference.reference_id '
            ~ "left join videos_by_reference on arrived_types.table_name = 'raw_videos' "
            ~ 'and arrived.given_reference_id = videos_by_reference.reference_id',
        'key': 'coalesce(posts_by_reference.post_id, videos_by_reference.id, arrived.given_reference_id)',
        'given': 'candidates.given_reference_id is not null and known_type.table_name is not null',
        'known': 'case when known_type.table_name is null then candidates._known_at else parent_reference.valid_from end',
        'accepted': 'left join ' ~ types ~ ' as known_type on candidates.reference_type = known_type.reference_type '
            ~ 'left join ' ~ model ~ ' as parent_reference on known_type.table_name = parent_reference.table_name '
            ~ 'and candidates.reference_id = parent_reference.reference_id and parent_reference.is_accepted',
        'reference': "known_type.table_name || ' ' || cast(candidates.given_reference_id as text)",
        'changed': changed,
    }) }}
{% endmacro %}


{# An asset's product: as given, else its script's, else that of the experiment using it. #}
{% macro parent_product_of_asset() %}
    {%- set base = parent('product_id', 'products') -%}
    {%- set owners = ref('int_video_asset_products') -%}
    {%- set found = {} -%}
    {%- for column in ['known_at', 'first_known_at'] -%}
        {%- do found.update({column: 'case when by_script.product_id is not null then by_script.' ~ column
            ~ ' else by_experiment.' ~ column ~ ' end'}) -%}
    {%- endfor -%}
    {%- do base.update({
        'resolves': ['product_id', '_product_known_at', '_product_first_known_at'],
        'absent': 'candidates.product_id is null and not '
            ~ '(candidates.script_id is not null and parent_script_id._valid_from is null)',
        'lookup': [
            {'name': 'by_script', 'sql': 'select * from ' ~ owners ~ ' where script_id is not null'},
            {'name': 'by_experiment', 'sql': 'select * from ' ~ owners ~ ' where asset_id is not null'},
        ],
        'join': 'left join by_script on arrived.script_id = by_script.script_id '
            ~ 'left join by_experiment on arrived._source_key = by_experiment.asset_id',
        'key': 'coalesce(arrived.given_product_id, by_script.product_id, by_experiment.product_id)',
        'derived': {
            '_product_known_at': 'case when arrived.given_product_id is null then ' ~ found.known_at ~ ' end',
            '_product_first_known_at': 'case when arrived.given_product_id is null then ' ~ found.first_known_at ~ ' end',
        },
        'since': '_product_known_at',
        'first_since': '_product_first_known_at',
        'changed': base['changed'] + [
            'select existing._load_id, existing._position from existing '
            ~ 'left join ' ~ owners ~ ' as by_script on existing.script_id = by_script.script_id '
            ~ 'left join ' ~ owners ~ ' as by_experiment on existing._source_key = by_experiment.asset_id '
            ~ 'where existing.given_product_id is null and ('
            ~ 'existing.product_id is distinct from coalesce(by_script.product_id, by_experiment.product_id) '
            ~ 'or existing._product_known_at is distinct from ' ~ found.known_at
            ~ ' or existing._product_first_known_at is distinct from ' ~ found.first_known_at ~ ')',
        ],
    }) -%}
    {{ return(base) }}
{% endmacro %}


{% macro changed_parent(model, condition) %}
    {{ return(
        'select existing._load_id, existing._position from existing inner join ' ~ model
        ~ ' as changed on ' ~ condition ~ ' where changed._changed_build > (select build from consumed)'
    ) }}
{% endmacro %}


{# CTEs from `arrived` to `resolved_rows`: every parent's key found. #}
{% macro resolve_parents(parents) %}
{%- set looked_up = parents | selectattr('resolves') | list -%}
{%- for one in looked_up -%}
{%- for lookup in one.lookup -%}
{{ lookup.name }} as (

    {{ lookup.sql }}

),

{% endfor -%}
{%- endfor -%}
resolved_rows as (

    select
        arrived.*
        {%- for one in looked_up %},
        {{ one.key }} as {{ one.column }}
        {%- if one.parent_key %},
        {{ one.parent_key }} as _parent_key
        {%- endif -%}
        {%- for column, expression in (one.derived or {}).items() %},
        {{ expression }} as {{ column }}
        {%- endfor -%}
        {%- endfor %}
    from arrived
    {%- for one in looked_up %}
    {{ one.join }}
    {%- endfor %}

),
{% endmacro %}
