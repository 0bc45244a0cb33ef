"""The operational database as it really is, all the way to the canonical tables.

One database lives through three loads: children before their parents, then the parents,
then changes of every kind. After each, both engines build from the same landing; the
expected rows below are the mapping of every drifted column, written out by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from loaders.landing import Landing
from loaders.supabase import load_supabase
from tests.conftest import PASSWORD, PASSWORD_ROLE, PgServer
from tests.integration.operational_db import create, fill, fill_corners, uid
from tests.support.builds import KEYS, Warehouse, differences, plain

pytestmark = pytest.mark.postgres

Rows = dict[str, dict[str, Any]]

#: What changes between the second load and the third, as an operator's day would have it.
CHANGES = f"""
update products set name = 'Glow Serum II', brand = 'Other', status = null,
    updated_at = timestamptz '2026-09-20 00:00+00' where product_id = '{uid("product", 1)}';
insert into products (product_id, name, source_platform)
    values ('{uid("product", 4)}', 'Late parent', 'amazon');
delete from creative_patterns where pattern_id = '{uid("pattern", 2)}';
delete from scripts where script_id = '{uid("script", 1)}';
insert into experiments (experiment_id, product_id, asset_id)
    values ('{uid("experiment", 6)}', '{uid("product", 3)}', '{uid("asset", 5)}');
update published_posts set platform_post_id = ' yt-2 ',
    posted_at = timestamptz '2026-09-03 10:00+00' where post_id = '{uid("post", 2)}';
update performance_metrics set view_count = 1100 where metric_id = '{uid("metric", 1)}';
update performance_metrics set view_count = 8 where metric_id = '{uid("metric", 4)}';
insert into performance_metrics (metric_id, post_id, view_count, collected_at)
    values ('{uid("metric", 6)}', '{uid("post", 1)}', 1500, '2026-09-03 10:00+00');
insert into raw_videos (id, external_id, platform, created_at)
    values ('{uid("video", 3)}', 'late', 'tiktok', timestamptz '2026-09-05 06:00+00');
update agent_notes set content = content where note_id = '{uid("note", 1)}';
"""


@dataclass
class Stage:
    """What the warehouses hold after one load."""

    duckdb: dict[str, list[tuple[Any, ...]]]
    postgres: dict[str, list[tuple[Any, ...]]]
    #: Canonical table to its rows by key, as DuckDB has them.
    canonical: dict[str, Rows]
    #: (table, n of the key, reasons, fields) of what is held back.
    held: list[tuple[str, int, list[str], list[str]]]
    verdicts: dict[str, dict[str, int]]
    ledger: list[dict[str, Any]]


@dataclass
class Story:
    orphans: Stage
    complete: Stage
    changed: Stage
    landing: Landing
    warehouse: Warehouse


@pytest.fixture(scope="module")
def story(pg_server: PgServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("supabase")
    operational = pg_server.create_database("operational")
    url = pg_server.create_database("warehouse")
    landing = Landing(folder / "landing")
    landing.prepare()
    duckdb, postgres = folder / "duckdb", folder / "postgres"
    duckdb.mkdir()
    postgres.mkdir()
    both = (
        Warehouse(duckdb, landing),
        Warehouse(postgres, landing, target="postgres", postgres_url=url),
    )
    dsn = pg_server.url(str(conninfo_to_dict(operational)["dbname"]), PASSWORD_ROLE, PASSWORD)
    parents = f"select on products, published_posts from {PASSWORD_ROLE}"

    def run(*statements: str) -> None:
        with psycopg.connect(operational) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def stage(**options: Any) -> Stage:
        load_supabase(landing, dsn, **options)
        return build(*both)

    create(operational)
    fill(operational)
    fill_corners(operational)
    # Two tables may not be read at first, so what refers to them arrives before them.
    run(f"revoke {parents}")
    orphans = stage(backfill=True)
    run(f"grant {parents.replace(' from ', ' to ')}")
    complete = stage(backfill=True)
    run(*CHANGES.split(";\n"))
    changed = stage()
    yield Story(orphans, complete, changed, landing, both[0])
    pg_server.drop_database(operational)
    pg_server.drop_database(url)


def build(duckdb: Warehouse, postgres: Warehouse) -> Stage:
    for warehouse in (duckdb, postgres):
        warehouse.build()
    held = duckdb.query("select table_name, key, reasons, fields from quarantine.rows")
    verdicts: dict[str, dict[str, int]] = {}
    for table in KEYS:
        found = duckdb.query(
            f"select _verdict, count(*) as n from intermediate.int_{table} group by 1"
        )
        verdicts[table] = {row["_verdict"]: row["n"] for row in found}
    return Stage(
        duckdb.result(),
        postgres.result(),
        {
            table: {
                str(row[key]): {name: plain(value) for name, value in row.items()}
                for row in duckdb.query(f"select * from canonical.{table}")
            }
            for table, key in KEYS.items()
        },
        sorted(
            (row["table_name"], int(str(row["key"])[-12:]), row["reasons"], row["fields"])
            for row in held
        ),
        verdicts,
        duckdb.query("select * from marts.row_ledger"),
    )


def some(rows: Rows, key: str, *columns: str) -> tuple[Any, ...]:
    return tuple(rows[key][column] for column in columns)


def numbers(rows: Rows) -> list[int]:
    return sorted(int(key[-12:]) for key in rows)


def landed_at(story: Story, resource: str, key: str, column: str = "_extracted_at") -> str:
    """When a row became known for the first time, from the landed files themselves."""
    found: list[datetime] = []
    for load in story.landing.loads("supabase", resource):
        rows = pl.read_parquet(load.file).filter(pl.col(KEYS[resource]) == key)
        found += rows[column].to_list()
    return min(found).isoformat()


@pytest.mark.parametrize("name", ["orphans", "complete", "changed"])
def test_both_engines_agree_and_every_row_is_accounted_for(story: Story, name: str) -> None:
    stage: Stage = getattr(story, name)
    assert differences(stage.duckdb, stage.postgres) == []
    assert stage.ledger
    for row in stage.ledger:
        assert row["balance"] == 0, row
        assert row["read"] == row["landed"] + row["rejected"], row
    of = {row["table_name"]: row for row in stage.ledger if row["source"] == "supabase"}
    for table, verdicts in stage.verdicts.items():
        # A table that could not be read has no line of its own yet.
        assert (of[table]["landed"] if table in of else 0) == sum(verdicts.values()), table


# --- children before parents --------------------------------------------------------


def test_children_wait_for_their_parents_and_return_by_themselves(story: Story) -> None:
    first = story.orphans
    assert {table for table, *_ in first.held} == {
        *("creative_patterns", "embeddings", "experiments", "performance_metrics", "scripts"),
        *("trend_snapshots", "video_assets"),
    }
    assert {table: numbers(rows) for table, rows in first.canonical.items() if rows} == {
        "creative_patterns": [2],
        "agent_notes": [1, 2, 3],
        "embeddings": [3],
        "raw_videos": [1, 2],
        "system_events": [1, 2],
    }
    # What is left has a cause of its own.
    assert story.complete.held == [
        ("embeddings", 5, ["missing_parent"], ["reference_id"]),
        ("performance_metrics", 4, ["out_of_range"], ["views"]),
        ("performance_metrics", 5, ["missing_parent"], ["post_id"]),
        ("published_posts", 2, ["not_published_yet"], []),
        ("video_assets", 5, ["missing_required"], ["product_id"]),
    ]
    assert story.changed.held == []


# --- the mapping --------------------------------------------------------------------


def test_products_fold_what_meta_lacks(story: Story) -> None:
    rows = story.complete.canonical["products"]
    assert numbers(rows) == [1, 2, 3]
    assert rows[uid("product")] == {
        "product_id": uid("product"),
        "name": "Glow Serum",
        "description": "A serum",
        "image_url": "https://x/1.png",
        "affiliate_link": "https://a/1",
        "source_platform": "tiktok",
        "category": "Beauty",
        "meta": plain(
            {
                "z": 1,
                "brand": "kept",
                "price_usd": 24.9,
                "currency": "USD",
                "status": "active",
                "primary_benefit": "glow",
                "target_audience": "adults",
                "content_brief": {"tone": "warm"},
                "key_features": ["light", "fast"],
                "objections": [],
            }
        ),
        "created_at": "2026-09-01T08:00:00+00:00",
        "updated_at": "2026-09-01T08:00:00+00:00",
    }
    # Nothing to fold: no meta. No update: as of its creation.
    assert some(rows, uid("product", 2), "meta", "created_at", "updated_at") == (
        None,
        "2026-09-02T08:00:00+00:00",
        "2026-09-02T08:00:00+00:00",
    )
    # A key that is there wins, even with a null.
    known = landed_at(story, "products", uid("product", 3))
    assert some(rows, uid("product", 3), "meta", "created_at", "updated_at") == (
        plain({"brand": None, "currency": "EUR", "price_usd": 25}),
        known,
        known,
    )
    assert rows[uid("product", 3)]["source_platform"] == "tiktok"


def test_patterns_notes_and_embeddings_come_as_documented(story: Story) -> None:
    patterns = story.complete.canonical["creative_patterns"]
    columns = ("product_id", "style_tags", "emotion_tags", "observed_performance", "notes")
    assert some(patterns, uid("pattern"), *columns) == (
        uid("product"),
        ("fast", "close up"),
        ("joy",),
        plain({"lift": 0.1}),
        None,
    )
    assert some(patterns, uid("pattern", 2), *columns) == (None, (), (), None, "n")
    notes = story.complete.canonical["agent_notes"]
    assert some(notes, uid("note"), "agent_name", "importance", "embedding", "created_at") == (
        "AnalystAgent",
        0.7,
        plain("[0.1,0.2]"),
        "2026-09-01T08:00:00+00:00",
    )
    assert notes[uid("note", 3)]["created_at"] == landed_at(story, "agent_notes", uid("note", 3))
    embeddings = story.complete.canonical["embeddings"]
    assert {
        n: some(embeddings, uid("embedding", n), "reference_type", "reference_id", "metadata")
        for n in numbers(embeddings)
    } == {
        1: ("product", uid("product"), "{}"),
        2: ("script", uid("script"), "{}"),
        # A type nobody knows points nowhere that could be checked.
        3: ("mood", uid("event", 77), plain({"k": 1})),
        4: ("post", uid("post"), "{}"),
    }


def test_videos_and_trends_take_their_times_from_what_is_known(story: Story) -> None:
    videos = story.complete.canonical["raw_videos"]
    assert some(videos, uid("video"), "platform", "view_count", "comment_count", "hashtags") == (
        "tiktok",
        5_000_000_000,
        None,
        ("glow", "skin"),
    )
    assert videos[uid("video", 2)] == {
        "id": uid("video", 2),
        "external_id": "abc",
        "platform": "youtube",
        **dict.fromkeys(("caption", "author", "view_count", "like_count", "share_count")),
        "comment_count": None,
        "hashtags": (),
        "collected_at": "2026-09-01T08:00:00+00:00",
        "created_at": "2026-09-01T08:00:00+00:00",
    }
    trends = story.complete.canonical["trend_snapshots"]
    columns = ("product_id", "popularity_score", "tiktok_trend_tags", "raw_source_data")
    assert some(trends, uid("snapshot"), *columns, "snapshot_time") == (
        uid("product"),
        0.8,
        ("glow", "skin"),
        plain({"source": "x"}),
        "2026-09-01T08:00:00+00:00",
    )
    assert some(trends, uid("snapshot", 3), *columns, "snapshot_time") == (
        uid("product", 2),
        None,
        (),
        "{}",
        landed_at(story, "trend_snapshots", uid("snapshot", 3)),
    )


def test_scripts_fold_their_variables(story: Story) -> None:
    rows = story.complete.canonical["scripts"]
    columns = ("product_id", "script_text", "creative_variables")
    assert some(rows, uid("script"), *columns) == (
        uid("product"),
        "Say hello to glow",
        plain(
            {
                "hook": "own",
                "title": "Glow",
                "cta": "Buy",
                "outline": "a-b-c",
                "creativePatternId": uid("pattern"),
                "trendReference": uid("snapshot"),
            }
        ),
    )
    assert some(rows, uid("script", 2), *columns) == (uid("product", 2), "Light up", None)
    assert rows[uid("script", 3)]["creative_variables"] == plain(
        {"hook": "Hot?", "cta": None, "creativePatternId": uid("pattern", 2)}
    )


def test_assets_find_their_product_and_format(story: Story) -> None:
    rows = story.complete.canonical["video_assets"]
    columns = ("script_id", "product_id", "storage_url", "format")
    assert {n: some(rows, uid("asset", n), *columns) for n in numbers(rows)} == {
        1: (uid("script"), uid("product"), "videos/glow.mp4", "mp4"),
        # Without a script: the product of the experiment that uses it; no extension.
        2: (None, uid("product", 2), "videos/lamp", "unknown"),
        # The earliest of two experiments; what metadata says comes before the extension.
        3: (None, uid("product", 2), "videos/mug.mp4", "webm"),
        # The script comes before an experiment with another product.
        4: (uid("script", 2), uid("product", 2), "videos/Clip.MOV?sig=a.b", "mov"),
    }
    assert rows[uid("asset")]["metadata"] == plain(
        {
            "fps": 30,
            "thumbnail_path": "thumbs/glow.png",
            "duration_seconds": 21.5,
            "tone": "warm",
            "layout": "split",
            "style_tags": ["fast"],
        }
    )
    assert rows[uid("asset", 2)]["metadata"] == "{}"
    assert rows[uid("asset", 4)]["metadata"] == plain({"tone": "own", "duration_seconds": 8})
    assert rows[uid("asset")]["created_at"] == "2026-09-01T09:00:00+00:00"
    assert rows[uid("asset", 3)]["created_at"] == landed_at(story, "video_assets", uid("asset", 3))


def test_posts_and_metrics_are_renamed(story: Story) -> None:
    posts = story.complete.canonical["published_posts"]
    assert list(posts.values()) == [
        {
            "post_id": uid("post"),
            "experiment_id": uid("experiment"),
            "platform": "tiktok",
            "external_post_id": "7400000000000000001",
            "published_at": "2026-09-03T08:00:00+00:00",
        }
    ]
    metrics = story.complete.canonical["performance_metrics"]
    columns = ("post_id", "views", "likes", "comments", "shares", "collected_at")
    post = uid("post")
    assert {n: some(metrics, uid("metric", n), *columns) for n in numbers(metrics)} == {
        1: (post, 1000, 50, 7, 5, "2026-09-03T09:00:00+00:00"),
        2: (post, 5_000_000_000, 90, 9, None, "2026-09-04T08:00:00+00:00"),
        3: (post, 2000, *[None] * 3, landed_at(story, "performance_metrics", uid("metric", 3))),
    }
    # What canonical has no room for is kept with the versions.
    kept = story.warehouse.query(
        "select distinct watch_time_ms, completion_rate from intermediate.int_performance_metrics "
        f"where metric_id = '{uid('metric')}'"
    )
    assert kept == [{"watch_time_ms": 123456, "completion_rate": 0.42}]
    kept = story.warehouse.query(
        "select hypothesis, variation_label from intermediate.int_experiments "
        f"where experiment_id = '{uid('experiment')}' and _is_latest"
    )
    assert kept == [{"hypothesis": "Warm tone wins", "variation_label": "A"}]


def test_events_of_workflows_belong_to_the_system(story: Story) -> None:
    rows = story.complete.canonical["system_events"]
    columns = ("agent_name", "event_type", "payload")
    assert some(rows, uid("event"), *columns) == (
        "Publisher",
        "publish.start",
        plain(
            {
                "a": 1,
                "correlation_id": "c1",
                "workflow_id": "wf-1",
                "event_category": "publish",
                "severity": "info",
                "message": "started",
                "metadata": {"m": 2},
            }
        ),
    )
    assert some(rows, uid("event", 2), *columns) == (
        "system",
        "workflow.start",
        plain({"workflow_id": "wf-2"}),
    )


# --- after a day of changes ---------------------------------------------------------


def test_updates_become_the_version_that_counts(story: Story) -> None:
    after = story.changed.canonical
    product = after["products"][uid("product")]
    assert (product["name"], product["updated_at"]) == (
        "Glow Serum II",
        "2026-09-20T00:00:00+00:00",
    )
    meta = story.complete.canonical["products"][uid("product")]["meta"]
    # 'brand' was meta's own all along; a status that became null is no longer there.
    assert product["meta"] == meta.replace('"status": "active", ', "")
    assert product["meta"] != meta
    assert story.changed.verdicts["products"] == {"accepted": 4, "superseded": 1}
    # An update that changed nothing is a repeat.
    assert story.changed.verdicts["agent_notes"] == {"accepted": 3, "duplicate": 1}

    metrics = after["performance_metrics"]
    assert {n: metrics[uid("metric", n)]["views"] for n in numbers(metrics)} == {
        1: 1100,
        2: 5_000_000_000,
        3: 2000,
        4: 8,
        # Of a post that is out by now, and a poll that came late.
        5: 10,
        6: 1500,
    }
    # An invalid version gives way to the valid one that came after it.
    assert story.changed.verdicts["performance_metrics"] == {"accepted": 6, "superseded": 2}
    posts = after["published_posts"]
    assert some(posts, uid("post", 2), "external_post_id", "published_at") == (
        "yt-2",
        "2026-09-03T10:00:00+00:00",
    )
    # Not read as a backfill: it is its own creation, not the reading, that dates it.
    assert some(after["raw_videos"], uid("video", 3), "collected_at", "created_at") == (
        "2026-09-05T06:00:00+00:00",
        "2026-09-05T06:00:00+00:00",
    )
    assert after["embeddings"][uid("embedding", 5)]["reference_id"] == uid("product", 4)


def test_deletes_in_the_source_empty_references_and_keep_rows(story: Story) -> None:
    after = story.changed.canonical
    assert uid("script") in after["scripts"]
    assert uid("pattern", 2) in after["creative_patterns"]
    # Its script is gone, so its product comes from its experiment from now on.
    assert some(after["video_assets"], uid("asset"), "script_id", "product_id") == (
        None,
        uid("product"),
    )
    assert some(after["experiments"], uid("experiment"), "script_id", "asset_id") == (
        None,
        uid("asset"),
    )
    assert after["scripts"][uid("script", 3)]["creative_variables"] == plain(
        {"hook": "Hot?", "cta": None}
    )
    assert after["video_assets"][uid("asset", 5)]["product_id"] == uid("product", 3)


def test_the_marts_follow(story: Story) -> None:
    found = story.warehouse.query(
        "select post_id, platform, product_id, views from marts.post_performance order by post_id"
    )
    assert [tuple(plain(value) for value in row.values()) for row in found] == [
        (uid("post"), "tiktok", uid("product"), 2000),
        (uid("post", 2), "youtube", uid("product", 2), 10),
    ]
