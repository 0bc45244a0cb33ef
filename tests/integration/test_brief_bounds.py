"""Briefs of the longest texts there may be, in scripts of up to four bytes a character."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import duckdb
import pytest

from tests.support.models import model_sql

LIMIT = 8192
PRODUCT = "00000000-0000-0000-0000-000000000001"
POST = "00000000-0000-0000-0000-0000000000f"
PATTERN = "00000000-0000-0000-0000-0000000000a"
#: What a brief is put together from, in this order.
STEPS = (
    *("int_pattern_words", "int_brief_patterns", "int_product_platforms", "int_telling_effects"),
    *("int_script_hooks", "int_repeated_hooks", "int_choice_tags", "int_product_choices"),
    *("int_brief_usual", "int_brief_works", "int_brief_effects", "int_brief_posts"),
    *("int_brief_times", "int_brief_rising", "int_brief_avoid", "int_brief_try"),
    *("int_brief_items", "int_brief_facts"),
)
AT = "timestamptz '2026-03-01 00:00:00+00'"


def tables(text: str, engine: str) -> dict[str, str]:
    """SQL of what a brief is made of: every list full, every text `text` over and over."""
    long = "'" + (text * (2000 // len(text))).replace("'", "''") + "'"
    tag = "'" + (text * 60)[:56].replace("'", "''")
    numbers = "generate_series(0, 9) as numbers (n)"
    json_type = "jsonb" if engine == "postgres" else "json"
    meta = json.dumps(
        {
            "brand": text * 99,
            "price_usd": text * 99,
            "target_audience": [text * 99] * 3,
            "key_features": [text * 99] * 3,
        },
        ensure_ascii=False,
    ).replace("'", "''")
    variables = json.dumps({"hook": text * 300, "title": text * 300}, ensure_ascii=False)
    variables = variables.replace("'", "''")
    product, pattern, post = (
        f"cast('{PRODUCT}' as uuid)",
        f"cast('{PATTERN}' || n as uuid)",
        f"cast('{POST}' || n as uuid)",
    )
    platform = f"substr({long}, 1, 500) || n"
    accepted = f"{AT} as known_at"
    return {
        "accepted_products": f"select {product} as product_id, {long} as name, {long} as category, "
        f"{long} as source_platform, {long} as description, "
        f"cast('{meta}' as {json_type}) as meta, 'demo' as _source, {accepted}",
        "accepted_creative_patterns": f"select {pattern} as pattern_id, {product} as product_id, "
        f"{long} as hook_text, {long} as structure, array[{long}, {long}] as style_tags, "
        f"array[{long}] as emotion_tags, {accepted} from {numbers}",
        "accepted_scripts": f"select {post} as script_id, {product} as product_id, {long} as "
        f"script_text, cast('{variables}' as {json_type}) as creative_variables, "
        f"{accepted} from {numbers}",
        "int_post_outcomes": f"select {post} as post_id, {post} as script_id, {pattern} as "
        f"pattern_id, {product} as product_id, {platform} as platform, {AT} as published_at, "
        "0 as definition_era, false as crosses_break, 99999999 + n as views, "
        "7777777 as engagements, cast(88888888 as double precision) as views_72h, "
        f"cast(9.9 as double precision) as log_lift_72h, {AT} as known_at from {numbers}",
        "creative_pattern_performance": f"select {pattern} as pattern_id, platforms.platform, "
        "999999 as lift_posts, cast(7.77 as double precision) as shrunk_lift, "
        "cast(1.11 as double precision) as lift_lo, cast(9.99 as double precision) as lift_hi, "
        "cast(0.99 as double precision) as share_above_median, "
        "cast(0.111 as double precision) as engagement_rate_eb, "
        "cast(0.101 as double precision) as engagement_rate_eb_lo, "
        "cast(0.121 as double precision) as engagement_rate_eb_hi, "
        "case when n > 5 then cast(-3 as double precision) end as fatigue_z, n + 1 as rank, "
        f"{AT} as known_at from {numbers} "
        f"cross join (select 'all' as platform union all select substr({long}, 1, 500)) "
        "as platforms",
        "creative_tag_effects": f"select 'all' as platform, 'hashtag' as kind, {tag}' || n as tag, "
        "999999 as posts_with, cast(case when n > 4 then 1.5 else -1.5 end as double precision) "
        "as lift_log, cast(case when n > 4 then 3.33 else -0.77 end as double precision) as "
        "adjusted_lift, cast(case when n > 4 then 1.11 else -0.88 end as double precision) as "
        "adjusted_lo, cast(case when n > 4 then 5.55 else -0.66 end as double precision) as "
        f"adjusted_hi, cast(0.001 as double precision) as q_value, {AT} as known_at "
        f"from {numbers}",
        "accepted_published_posts": f"select {post} as post_id, array[{long}] as hashtags "
        f"from {numbers}",
        "int_hashtag_tags": f"select array[{long}] as hashtags, {tag}' || n as tag from {numbers}",
        "int_pattern_tags": f"select {pattern} as pattern_id, 'style' as kind, 'x' as tag "
        f"from {numbers} limit 0",
        "int_script_tags": f"select {post} as script_id, array['x'] as tags from {numbers} limit 0",
        "experiment_gaps": f"select {product} as product_id, {platform} as platform, {pattern} "
        f"as pattern_id, {long} as reason, n + 1 as rank, {AT} as known_at from {numbers}",
        "posting_times": f"select {platform} as platform, 3 as weekday, n as hour, 999999 as "
        f"n_posts, cast(2.2 as double precision) as effect, cast(1.1 as double precision) as "
        f"effect_lo, cast(3.3 as double precision) as effect_hi, 1 as rank, {AT} as known_at "
        f"from {numbers}",
        "product_trends": f"select {product} as product_id, {AT} as snapshot_time, 'down' as "
        "direction, cast(99 as double precision) as popularity, cast(-0.99 as double precision) "
        "as weekly_change, cast(0.99 as double precision) as opportunity, "
        f"array[{long}, {tag}0'] as tags, array[{long}] as new_tags, true as is_stale, "
        f"true as is_latest, {AT} as known_at",
        "hashtag_trends": f"select {platform} as platform, {tag}0' as hashtag, "
        "date '2026-03-01' as day, 999999 as videos, cast(99.9 as double precision) as "
        f"trend_score, true as is_breakout, {AT} as known_at from {numbers}",
    }


@cache
def brief(text: str, engine: str = "duckdb", url: str = "") -> tuple[str, int]:
    """The document as the engine writes it, and the bytes it says it has."""
    statements = [
        f"create temporary table {name} as {sql}" for name, sql in tables(text, engine).items()
    ]
    statements += [
        f"create temporary table {step} as {model_sql(f'marts/creative/steps/{step}', engine)}"
        for step in STEPS
    ]
    briefs = model_sql("marts/creative/creative_briefs", engine)
    last = f"select cast(brief as text), brief_bytes from ({briefs}) as briefs"
    row: Any
    if engine == "postgres":
        import psycopg

        with psycopg.connect(url) as connection:
            connection.execute("set timezone = 'UTC'")
            for statement in statements:
                connection.execute(statement)
            row = connection.execute(last).fetchone()
    else:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            for statement in statements:
                connection.execute(statement)
            row = connection.execute(last).fetchone()
    return str(row[0]), int(row[1])


TEXTS = {
    "short": "a ",
    "quotes": 'say "so" \\ ',
    "chinese": "口红测评",
    "emoji": "🫧💄",
    "joined emoji": "👩‍👩‍👧",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_longest_texts_stay_within_8_kb(text: str) -> None:
    document, size = brief(text)
    assert size == len(document.encode()) <= LIMIT
    # White space between the parts, as Postgres writes it, is within the bound too.
    spaced = json.dumps(json.loads(document), ensure_ascii=False)
    assert len(spaced.encode()) <= LIMIT
    parts = json.loads(document)
    assert parts["product"]["product_id"] == PRODUCT
    assert len(parts["summary"]) <= 480
    assert parts["summary"].endswith(".")
    for key in ("usual", "patterns_that_work", "what_helps", "what_hurts", "times_to_post"):
        assert parts[key], key


@pytest.mark.postgres
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_postgres_writes_the_same_document(text: str, postgres_url: str) -> None:
    ours, size = brief(text)
    theirs, same_size = brief(text, "postgres", postgres_url)
    assert json.loads(theirs) == json.loads(ours)
    assert same_size == size
    assert len(theirs.encode()) <= LIMIT
