"""The operational database into landing: every change once, whatever the rows' clocks say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from common.errors import AceError
from loaders.landing import Landing
from loaders.records import type_records
from loaders.schema import ALL_RESOURCES
from loaders.supabase import TableResult, load_supabase
from tests.conftest import PASSWORD, PASSWORD_ROLE, PgServer
from tests.integration.operational_db import create, fill, uid

pytestmark = pytest.mark.postgres


@pytest.fixture
def zone(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


class Db:
    """An operational database: as its owner, and as the role that only reads."""

    def __init__(self, server: PgServer, url: str) -> None:
        self.url = url
        self.name = str(conninfo_to_dict(url)["dbname"])
        self.dsn = server.url(self.name, PASSWORD_ROLE, PASSWORD)

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.url) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@pytest.fixture
def db(postgres_url: str, pg_server: PgServer) -> Db:
    create(postgres_url)
    fill(postgres_url)
    return Db(pg_server, postgres_url)


def load(zone: Landing, db: Db, **options: Any) -> dict[str, TableResult]:
    return {r.resource: r for r in load_supabase(zone, db.dsn, **options)}


def rows(zone: Landing, resource: str) -> list[dict[str, Any]]:
    """Landed rows, in the order of their landing."""
    found: list[dict[str, Any]] = []
    for one in zone.loads("supabase", resource):
        found += pl.read_parquet(one.file).sort("_position").to_dicts()
    return found


def values(zone: Landing, resource: str, *columns: str) -> list[Any]:
    found = [tuple(row[c] for c in columns) for row in rows(zone, resource)]
    return [f[0] for f in found] if len(columns) == 1 else found


def landed(results: dict[str, TableResult]) -> dict[str, int]:
    return {name: r.read for name, r in results.items() if r.load_id}


def metric(n: int, views: str = "1") -> str:
    return (
        f"insert into performance_metrics (metric_id, post_id, view_count) "
        f"values ('{uid('metric', n)}', '{uid('post')}', {views})"
    )


# --- what lands ---------------------------------------------------------------------


def test_the_drifted_tables_land_as_they_are(zone: Landing, db: Db) -> None:
    results = load(zone, db)
    assert landed(results) == dict.fromkeys(ALL_RESOURCES, 2)
    assert {r.rejected for r in results.values()} == {0}

    product = next(r for r in rows(zone, "products") if r["product_id"] == uid("product"))
    assert product["name"] == "Glow Serum"
    assert product["price_usd"] == 24.9
    assert product["meta"] == '{"brand":"kept","z":1}'
    assert product["key_features"] == '["light","fast"]'
    assert product["demo_ideas"] is None
    assert product["created_at"] == datetime(2026, 9, 1, 8, tzinfo=UTC)
    assert json.loads(product["_extra"]) == {"warehouse_bin": 7, "supplier": {"id": 9}}
    assert product["_source"] == "supabase"

    patterns = {r["pattern_id"]: r for r in rows(zone, "creative_patterns")}
    assert patterns[uid("pattern")]["style_tags"] == ["fast", "close up"]
    assert patterns[uid("pattern")]["emotion_tags"] == ["joy"]
    assert patterns[uid("pattern", 2)]["style_tags"] == []
    assert patterns[uid("pattern", 2)]["product_id"] is None

    snapshot = rows(zone, "trend_snapshots")[0]
    assert (snapshot["popularity_score"], snapshot["velocity_score"]) == (0.8, 0.5)
    asset = next(r for r in rows(zone, "video_assets") if r["asset_id"] == uid("asset"))
    assert asset["storage_path"] == "videos/glow.mp4"
    assert asset["duration_seconds"] == 21.5
    # A time without a zone is UTC.
    assert asset["created_at"] == datetime(2026, 9, 1, 9, tzinfo=UTC)
    post = next(r for r in rows(zone, "published_posts") if r["post_id"] == uid("post"))
    assert (post["platform"], post["platform_post_id"]) == ("tiktok", "7400000000000000001")
    assert post["correlation_id"] == uid("event", 900)
    assert post["posted_at"] == datetime(2026, 9, 3, 8, tzinfo=UTC)
    polls = sorted(rows(zone, "performance_metrics"), key=lambda r: r["collected_at"])
    assert [p["view_count"] for p in polls] == [1000, 5_000_000_000]
    assert (polls[0]["watch_time_ms"], polls[0]["completion_rate"]) == (123456.0, 0.42)
    assert polls[1]["share_count"] is None
    video = next(r for r in rows(zone, "raw_videos") if r["id"] == uid("video"))
    assert (video["hashtags"], video["caption_hashtags"]) == ([], ["glow", "skin"])


def test_known_at_is_the_time_of_reading_or_the_rows_own(zone: Landing, db: Db) -> None:
    before = datetime.now(UTC)
    db.run(f"update products set updated_at = null where product_id = '{uid('product')}'")
    load(zone, db)
    known = values(zone, "products", "_extracted_at")
    assert all(before <= at <= datetime.now(UTC) for at in known)
    assert all(r["_extracted_at"] <= r["_loaded_at"] for r in rows(zone, "products"))

    db.run(
        "update products set description = 'new'",
        f"update performance_metrics set collected_at = null where metric_id = '{uid('metric')}'",
        f"update performance_metrics set view_count = 3 where metric_id = '{uid('metric', 2)}'",
    )
    load(zone, db, backfill=True)
    assert set(values(zone, "products", "_extracted_at")[2:]) == {
        datetime(2026, 9, 1, 8, tzinfo=UTC),
        datetime(2026, 9, 2, 8, tzinfo=UTC),
    }
    late = {r["metric_id"]: r for r in rows(zone, "performance_metrics")[2:]}
    assert late[uid("metric", 2)]["_extracted_at"] == datetime(2026, 9, 4, 8, tzinfo=UTC)
    assert late[uid("metric")]["_extracted_at"] == late[uid("metric")]["_loaded_at"]


def test_odd_types_and_impossible_values(zone: Landing, postgres_url: str, pg_server: Any) -> None:
    db = Db(pg_server, postgres_url)
    rest = ", null" * 6
    db.run(
        "create extension vector",
        "create domain amount as numeric",
        "create type pair as (a int, b text)",
        """create table performance_metrics (
            metric_id uuid primary key, post_id text, views numeric, likes amount,
            comments double precision, shares text, watch_time_ms interval,
            completion_rate real, collected_at date, platform varchar(10),
            spot pair, price numeric, blob bytea, ids bigint[], net inet)""",
        "create table embeddings (embedding_id uuid primary key, embedding vector(3), "
        "reference_id uuid, metadata text, created_at timestamptz)",
        f"""insert into performance_metrics values
            ('{uid("metric", 1)}', '{uid("post").upper()}', 12, 3.0, 4, '541.2K', null, 0.1,
             '2026-09-01', ' TikTok', row(1, 'x'), 'NaN', '\\xdead', '{{1,9007199254740993}}',
             '10.0.0.1'),
            ('{uid("metric", 2)}', null, 'NaN', null, null, null, null, null, null{rest}),
            ('{uid("metric", 3)}', null, null, null, 'Infinity', null, null, null, null{rest}),
            ('{uid("metric", 4)}', null, 1e30, null, null, null, null, null, null{rest}),
            ('{uid("metric", 5)}', null, null, null, null, 'many', null, null, null{rest}),
            ('{uid("metric", 6)}', null, null, null, null, null, null, null, 'infinity'{rest}),
            ('{uid("metric", 7)}', null, null, null, null, null, '2 days', null, null{rest}),
            ('{uid("metric", 8)}', null, 1.5, null, null, null, null, null, '0044-03-15 BC'{rest}),
            ('{uid("metric", 9)}', null, null, null, null, null, null, null,
             '20000-01-01'{rest})""",
        f"insert into embeddings values ('{uid('embedding')}', '[0.1,3e-7,2]', null, 'plain', "
        "'infinity'), "
        f"('{uid('embedding', 2)}', '[0.1,3e-7,2]', null, 'plain', '2026-09-01 01:00+05:30')",
        f"grant select on all tables in schema public to {PASSWORD_ROLE}",
        f"alter role {PASSWORD_ROLE} in database {db.name} set datestyle = 'German, DMY'",
        f"alter role {PASSWORD_ROLE} in database {db.name} set timezone = 'Asia/Kolkata'",
        f"alter role {PASSWORD_ROLE} in database {db.name} set extra_float_digits = 0",
        f"alter role {PASSWORD_ROLE} in database {db.name} set intervalstyle = 'iso_8601'",
    )
    results = load(zone, db)
    result = results["performance_metrics"]
    assert (result.read, result.accepted, result.rejected) == (9, 2, 7)
    row, unknown = rows(zone, "performance_metrics")
    assert (unknown["metric_id"], unknown["views"]) == (uid("metric", 2), None)
    assert (row["views"], row["likes"], row["comments"], row["shares"]) == (12, 3, 4, 541_200)
    assert row["post_id"] == uid("post")
    assert row["completion_rate"] == pytest.approx(0.1, abs=1e-12)
    assert row["collected_at"] == datetime(2026, 9, 1, tzinfo=UTC)
    extra = json.loads(row["_extra"])
    assert extra.pop("_precision") == {"shares": "541.2K"}
    assert extra == {
        "spot": {"a": 1, "b": "x"},
        "price": "NaN",
        "blob": "\\xdead",
        "ids": [1, 9007199254740993],
        "net": "10.0.0.1",
    }
    rejected = {
        json.loads(r.raw)["metric_id"]: r
        for r in zone.rejected("supabase")
        if r.resource == "performance_metrics"
    }
    fields = [rejected[uid("metric", n)].field for n in range(3, 10)]
    assert fields == [
        *("comments", "views", "shares", "collected_at", "watch_time_ms", "views"),
        "collected_at",
    ]
    assert json.loads(rejected[uid("metric", 6)].raw)["collected_at"] == "infinity"
    [kept] = rows(zone, "embeddings")
    assert kept["embedding"] == "[0.1,3e-07,2]"
    assert kept["metadata"] == '"plain"'
    assert kept["created_at"] == datetime(2026, 8, 31, 19, 30, tzinfo=UTC)
    # Nothing changed: neither rows nor rejected records come again, even in a full read.
    assert landed(load(zone, db)) == {}
    assert landed(load(zone, db, full=True)) == {}


def test_missing_tables_and_columns(zone: Landing, postgres_url: str, pg_server: Any) -> None:
    db = Db(pg_server, postgres_url)
    db.run(
        "create schema app",
        "create table app.performance_metrics (views int)",
        "insert into app.performance_metrics values (1), (2)",
        f"grant usage on schema app to {PASSWORD_ROLE}",
        f"grant select on all tables in schema app to {PASSWORD_ROLE}",
    )
    results = load(zone, db, schema="app")
    assert {n for n, r in results.items() if r.mode == "missing"} == set(ALL_RESOURCES) - {
        "performance_metrics"
    }
    assert sorted(values(zone, "performance_metrics", "views")) == [1, 2]
    with pytest.raises(AceError, match=r"none of the twelve tables in schema 'public'"):
        load(zone, db)


# --- changes ------------------------------------------------------------------------


def test_only_changes_come_again(zone: Landing, db: Db) -> None:
    load(zone, db)
    assert landed(load(zone, db)) == {}
    db.run(
        metric(3),
        f"update published_posts set caption = 'x' where post_id = '{uid('post')}'",
    )
    results = load(zone, db)
    assert landed(results) == {"performance_metrics": 1, "published_posts": 1}
    assert results["performance_metrics"].mode == "changes"
    assert values(zone, "performance_metrics", "metric_id")[2:] == [uid("metric", 3)]
    assert values(zone, "published_posts", "caption")[2:] == ["x"]
    assert landed(load(zone, db)) == {}


def test_a_delete_that_sets_foreign_keys_null_is_seen_and_deletes_are_not(
    zone: Landing, db: Db
) -> None:
    load(zone, db)
    db.run(f"delete from scripts where script_id = '{uid('script')}'")
    results = load(zone, db)
    assert landed(results) == {"video_assets": 1, "experiments": 1}
    assert values(zone, "experiments", "experiment_id", "script_id")[2:] == [
        (uid("experiment"), None)
    ]
    assert values(zone, "scripts", "script_id").count(uid("script")) == 1


def test_rows_of_a_long_transaction_are_not_missed(zone: Landing, db: Db) -> None:
    with psycopg.connect(db.url) as slow:
        slow.execute(metric(10).encode())
        with slow.transaction():  # a subtransaction has a number of its own
            slow.execute(metric(11).encode())
        db.run(metric(20))
        load(zone, db)
        first = values(zone, "performance_metrics", "metric_id")
        assert sorted(first) == [uid("metric", n) for n in (1, 2, 20)]
        db.run(metric(21))
        assert landed(load(zone, db)) == {"performance_metrics": 1}
        # Rows that could not be told from late ones are compared, not landed twice.
        assert landed(load(zone, db)) == {}
        with slow.transaction():
            slow.execute(metric(12).encode())
    assert landed(load(zone, db)) == {"performance_metrics": 3}
    everything = values(zone, "performance_metrics", "metric_id")
    assert sorted(everything) == [uid("metric", n) for n in (1, 2, 10, 11, 12, 20, 21)]
    assert landed(load(zone, db)) == {}


def test_rows_written_while_pages_are_read_wait_for_the_next_load(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loaders.supabase.pages as pages

    fetch = pages.Reader._fetch
    told: list[int] = []

    def interfering(self: Any, *args: Any, **options: Any) -> Any:
        if self._table.resource == "performance_metrics" and not told:
            told.append(1)
            db.run(
                metric(3),
                f"update performance_metrics set view_count = 4 "
                f"where metric_id = '{uid('metric')}'",
            )
        return fetch(self, *args, **options)

    monkeypatch.setattr(pages.Reader, "_fetch", interfering)
    assert landed(load(zone, db))["performance_metrics"] == 1
    assert landed(load(zone, db)) == {"performance_metrics": 2}
    found = sorted(values(zone, "performance_metrics", "metric_id", "view_count"))
    assert found == [
        (uid("metric", 1), 4),
        (uid("metric", 2), 5_000_000_000),
        (uid("metric", 3), 1),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_neither_skip_nor_repeat(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    import loaders.supabase.pages as pages

    monkeypatch.setattr(pages, "FIRST_PAGE", size)
    monkeypatch.setattr(pages, "MAX_PAGE", size)
    monkeypatch.setattr(pages.Reader, "_adapt", lambda self, rows: None)
    db.run(
        "alter table raw_videos drop constraint raw_videos_pkey",
        "alter table raw_videos alter column id drop not null",
        "alter table raw_videos add column collected_day int",
        *(
            f"insert into raw_videos (id, external_id) values ('{uid('video', 5)}', '{n}')"
            for n in range(6)
        ),
        *(f"insert into raw_videos (external_id) values ('null {n}')" for n in range(3)),
        "create table m2 (like performance_metrics)",
        "drop table performance_metrics",
        "alter table m2 rename to performance_metrics",
        "alter table performance_metrics add column region text not null default 'a''b'",
        "alter table performance_metrics add primary key (region, metric_id)",
        "insert into performance_metrics (metric_id, region) select gen_random_uuid(), "
        "case when n % 2 = 0 then 'x\\y%s' else '' end from generate_series(1, 14) n",
        "alter table agent_notes drop constraint agent_notes_pkey",
        "alter table agent_notes drop column note_id",
        "insert into agent_notes (content) select 'n' || n from generate_series(1, 11) n",
        f"grant select on all tables in schema public to {PASSWORD_ROLE}",
    )
    results = load(zone, db)
    assert results["raw_videos"].read == 11
    assert len(set(values(zone, "raw_videos", "external_id"))) == 11
    assert len(set(values(zone, "performance_metrics", "metric_id"))) == 14
    assert results["performance_metrics"].read == 14
    assert len(set(values(zone, "agent_notes", "content"))) == 13
    positions = values(zone, "performance_metrics", "_position")
    assert positions == list(range(14))
    # More changes than fit into the quick look go along the key, too.
    db.run("update performance_metrics set view_count = 9")
    assert load(zone, db)["performance_metrics"].read == 14
    assert landed(load(zone, db)) == {}


def test_pages_go_in_the_order_of_the_key_not_of_its_text(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loaders.supabase.pages as pages

    monkeypatch.setattr(pages, "FIRST_PAGE", 3)
    monkeypatch.setattr(pages.Reader, "_adapt", lambda self, rows: None)
    db.run(
        "drop table performance_metrics",
        "create table performance_metrics (metric_id uuid, views int primary key)",
        "insert into performance_metrics (views) select n from generate_series(-5, 115) n",
        f"grant select on performance_metrics to {PASSWORD_ROLE}",
    )
    load(zone, db)
    # A count of -1 is one that its owner hides.
    counts = [None if n == -1 else n for n in range(-5, 116)]
    assert values(zone, "performance_metrics", "views") == counts


def test_a_view_is_read_in_full_and_only_differences_land(zone: Landing, db: Db) -> None:
    db.run(
        "alter table products rename to products_table",
        "create view products as select * from products_table",
        f"grant select on products to {PASSWORD_ROLE}",
    )
    first = load(zone, db)["products"]
    assert (first.mode, first.read) == ("full", 2)
    assert landed(load(zone, db)) == {}
    db.run(
        f"update products_table set name = 'B' where product_id = '{uid('product')}'",
        # Only a column nobody knows changes.
        f"update products_table set supplier = '{{}}' where product_id = '{uid('product', 2)}'",
    )
    assert landed(load(zone, db)) == {"products": 2}
    db.run(f"update products_table set name = 'Glow Serum' where product_id = '{uid('product')}'")
    assert landed(load(zone, db)) == {"products": 1}  # A, B, A: the way back counts
    assert landed(load(zone, db)) == {}


def test_a_full_read_lands_only_what_differs(zone: Landing, db: Db) -> None:
    load(zone, db)
    db.run(metric(3))
    results = load(zone, db, full=True)
    assert landed(results) == {"performance_metrics": 1}
    assert results["products"].seen == 2
    cursor = zone.loads("supabase", "performance_metrics")[-1].cursor
    assert cursor is not None
    assert (cursor["full"], cursor["rows"]) == (True, 3)


def test_another_server_identity_means_a_full_comparison(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loaders.supabase.load as module

    load(zone, db)
    db.run(f"update products set name = 'B' where product_id = '{uid('product')}'")
    monkeypatch.setattr(module, "server_identity", lambda connection: "another")
    results = load(zone, db)
    assert landed(results) == {"products": 1}
    assert {r.note for r in results.values()} == {"another server, or a restored one"}
    # The identity is remembered, also for tables without news.
    assert {r.mode for r in load(zone, db).values()} == {"changes"}


def test_a_restore_into_another_database_lands_what_differs(
    zone: Landing, db: Db, pg_server: PgServer
) -> None:
    load(zone, db)
    other_url = pg_server.create_database()
    try:
        create(other_url)
        fill(other_url)
        other = Db(pg_server, other_url)
        other.run(metric(3))
        results = load(zone, other)
        assert landed(results) == {"performance_metrics": 1}
        assert results["products"].mode == "full"
        assert {r.mode for r in load(zone, other).values()} == {"changes"}
    finally:
        pg_server.drop_database(other_url)


def test_a_counter_that_went_back_means_a_full_comparison(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loaders.supabase.load as module
    from loaders.supabase.versions import Snapshot, take_snapshot

    with monkeypatch.context() as ahead:

        def later(connection: Any) -> Snapshot:
            real = take_snapshot(connection)
            return Snapshot(real.xmin + 10**6, real.xmax + 10**6, real.at)

        ahead.setattr(module, "take_snapshot", later)
        load(zone, db)
    db.run(metric(3))
    results = load(zone, db)
    assert results["performance_metrics"].note == "the server's counter went back"
    assert landed(results) == {"performance_metrics": 1}


def test_a_table_or_column_made_anew_is_read_in_full(zone: Landing, db: Db) -> None:
    load(zone, db)
    db.run("alter table agent_notes add column importance_source text default 'model'")
    results = load(zone, db)
    assert landed(results) == {"agent_notes": 2}
    assert results["agent_notes"].note == "its columns changed"
    assert set(values(zone, "agent_notes", "_extra")[2:]) == {'{"importance_source":"model"}'}
    db.run(
        "create table copied as select * from system_events",
        "drop table system_events",
        "alter table copied rename to system_events",
        f"grant select on system_events to {PASSWORD_ROLE}",
    )
    results = load(zone, db)
    assert (results["system_events"].mode, landed(results)) == ("full", {})


def test_a_partitioned_table(zone: Landing, db: Db) -> None:
    db.run(
        "create table old_part as select * from system_events",
        "alter table old_part alter column created_at set not null",
        "drop table system_events",
        "create table system_events (like old_part) partition by range (created_at)",
        "create table new_part partition of system_events "
        "for values from ('2026-10-01') to ('2026-11-01')",
        f"insert into system_events (event_id, created_at) "
        f"values ('{uid('event', 5)}', '2026-10-02')",
        f"grant select on all tables in schema public to {PASSWORD_ROLE}",
    )
    assert landed(load(zone, db))["system_events"] == 1
    # Rows that were written long ago arrive with the partition that holds them.
    db.run(
        "alter table system_events attach partition old_part "
        "for values from ('2026-09-01') to ('2026-10-01')"
    )
    assert landed(load(zone, db)) == {"system_events": 2}


def test_row_level_security_is_said_and_rows_it_releases_are_seen(zone: Landing, db: Db) -> None:
    db.run(
        "alter table products enable row level security",
        "create table allowed (product_id uuid)",
        f"grant select on allowed to {PASSWORD_ROLE}",
        "create policy p on products using (product_id in (select product_id from allowed))",
        f"insert into allowed values ('{uid('product')}')",
    )
    result = load(zone, db)["products"]
    assert result.read == 1
    assert "row-level security" in str(result.note)
    db.run(f"insert into allowed values ('{uid('product', 2)}')")
    assert landed(load(zone, db)) == {"products": 1}


def test_an_emptied_table_is_noted_for_the_checks(zone: Landing, db: Db) -> None:
    load(zone, db)
    db.run("truncate system_events")
    assert landed(load(zone, db)) == {}
    results = load(zone, db, full=True)
    assert results["system_events"].load_id is not None
    cursor = zone.loads("supabase", "system_events")[-1].cursor
    assert cursor is not None
    assert (cursor["full"], cursor["rows"]) == (True, 0)
    assert landed(load(zone, db, full=True)) == {}
    assert load(zone, db, full=True)["system_events"].load_id is None


def test_a_run_without_news_leaves_a_heartbeat(zone: Landing, db: Db) -> None:
    load(zone, db)
    assert zone.heartbeats() == []
    load(zone, db)
    assert len(zone.heartbeats("supabase")) == 1
    db.run(metric(3))
    load(zone, db)
    assert len(zone.heartbeats("supabase")) == 1


def test_a_load_that_breaks_off_keeps_nothing_and_is_made_good(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loaders.supabase.load as module

    def breaking(resource: str, *args: Any, **options: Any) -> Any:
        if resource == "scripts":
            raise KeyboardInterrupt
        return type_records(resource, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, "type_records", breaking)
        with pytest.raises(KeyboardInterrupt):
            load(zone, db)
    assert zone.loads("supabase", "scripts") == []
    assert len(zone.loads("supabase", "products")) == 1
    results = load(zone, db)
    assert results["products"].load_id is None
    assert landed(results)["scripts"] == 2


# --- refusals -----------------------------------------------------------------------


def test_a_table_that_may_not_be_read_does_not_stop_the_others(zone: Landing, db: Db) -> None:
    db.run(f"revoke select on products from {PASSWORD_ROLE}")
    results = load(zone, db)
    assert results["products"].mode == "failed"
    assert f"User {PASSWORD_ROLE} may not read public.products" in str(results["products"].error)
    assert len(landed(results)) == 11
    db.run(f"grant select on products to {PASSWORD_ROLE}")
    assert landed(load(zone, db)) == {"products": 2}


def test_no_heartbeat_says_that_a_source_is_known_where_a_table_was_not_read(
    zone: Landing, db: Db
) -> None:
    load(zone, db)
    db.run(f"revoke select on products from {PASSWORD_ROLE}")
    results = load(zone, db)
    assert results["products"].mode == "failed"
    assert landed(results) == {}
    assert zone.heartbeats() == []
    db.run(f"grant select on products to {PASSWORD_ROLE}")
    load(zone, db)
    assert len(zone.heartbeats()) == 1


def test_the_identity_does_not_need_a_superuser(zone: Landing, db: Db) -> None:
    from loaders.supabase.catalog import server_identity

    with psycopg.connect(db.dsn, autocommit=True) as connection:
        allowed = server_identity(connection)
    assert f":{db.name}" in allowed
    db.run("revoke execute on function pg_control_system() from public")
    with psycopg.connect(db.dsn, autocommit=True) as connection:
        denied = server_identity(connection)
    assert denied.startswith("?/")
    assert denied.split("/")[1:] == allowed.split("/")[1:]


def test_nothing_is_asked_of_the_session(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a transaction pooler cannot carry: settings, cursors, locks, prepared statements."""
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        text = (
            query
            if isinstance(query, str)
            else (query.decode() if isinstance(query, bytes) else query.as_string(self.connection))
        )
        statements.append(text.strip().lower())
        result = execute(self, query, *args, **options)
        assert self.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert self.connection.prepare_threshold is None
        return result

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    for _ in range(7):  # more often than the driver waits before it prepares
        load(zone, db)
    assert statements
    assert all(s.startswith("select") for s in statements)
    assert not any(word in s for s in statements for word in ("advisory", "temp", "set_config"))


def test_the_password_is_nowhere(zone: Landing, db: Db, tmp_path: Path) -> None:
    load(zone, db)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) > 12
    for path in files:
        assert PASSWORD.encode() not in path.read_bytes()
        assert PASSWORD_ROLE.encode() not in path.read_bytes()


def test_times_of_the_server_ahead_are_clamped(
    zone: Landing, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loaders.supabase.load as module
    from loaders.supabase.versions import Snapshot, take_snapshot

    def ahead(connection: Any) -> Snapshot:
        real = take_snapshot(connection)
        return Snapshot(real.xmin, real.xmax, real.at + timedelta(hours=1))

    monkeypatch.setattr(module, "take_snapshot", ahead)
    load(zone, db)
    assert all(r["_extracted_at"] == r["_loaded_at"] for r in rows(zone, "products"))
