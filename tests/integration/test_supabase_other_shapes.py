"""Operational databases of other habits: local times, numbers as keys, marks of deletion."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from common.errors import UsageError
from loaders.keys import derived_key
from loaders.landing import Landing
from loaders.retry import retry_rejected
from loaders.supabase import TableResult, load_supabase
from loaders.zones import is_utc
from warehouse.cli import main
from warehouse.settings import settings

pytestmark = pytest.mark.postgres

#: A database whose sessions are in California, and whose keys are numbers and texts.
DDL = """
create table products (
    product_id bigint generated always as identity primary key, name text,
    created_at timestamp default localtimestamp
);
create table experiments (
    experiment_id text primary key, product_id bigint references products, created_at date
);
create table published_posts (
    post_id smallint primary key, experiment_id text references experiments, platform text,
    platform_post_id text, posted_at timestamp, created_at timestamptz
);
create table performance_metrics (
    metric_id numeric primary key, post_id int, view_count numeric, like_count text,
    collected_at timestamp
);
create table embeddings (
    embedding_id int primary key, reference_type text, reference_id text, embedding text
);
insert into products (name, created_at) values ('Bottle', '2026-09-01 08:00');
insert into experiments values ('exp a', 1, '2026-09-02');
insert into published_posts values (7, 'exp a', 'tiktok', '74', '2026-10-01 09:00', now());
insert into performance_metrics values
    (100, 7, 1000, '10', '2026-10-01 16:05'), (101, 7, 2000, '20', '2026-11-01 01:30');
insert into embeddings values (1, 'post', '7', '[1]'), (2, 'mood', 'x', '[1]');
"""


@pytest.fixture
def dsn(postgres_url: str) -> str:
    run(postgres_url, DDL)
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    run(postgres_url, f"alter database \"{name}\" set timezone to 'America/Los_Angeles'")
    # What the role that reads has is not what the programs that write have.
    run(
        postgres_url, f"alter role current_user in database \"{name}\" set timezone to 'Asia/Tokyo'"
    )
    return postgres_url


@pytest.fixture
def zone(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def run(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def load(zone: Landing, dsn: str, **options: Any) -> dict[str, TableResult]:
    return {r.resource: r for r in load_supabase(zone, dsn, **options)}


def newest(zone: Landing, resource: str) -> dict[Any, dict[str, Any]]:
    """Landed rows by the number the database gave them, the newest of each."""
    found: dict[Any, dict[str, Any]] = {}
    for one in zone.loads("supabase", resource):
        for row in pl.read_parquet(one.file).sort("_position").to_dicts():
            extra = json.loads(row["_extra"])
            own = [n for n in extra if n.endswith("_id")]
            key = next(n for n in own if n.split("_")[0] in resource or n == "metric_id")
            found[extra[key]] = row
    return found


def test_numbers_and_texts_as_keys_become_uuids_and_references_hold(
    zone: Landing, dsn: str
) -> None:
    results = load(zone, dsn)
    assert {r.rejected for r in results.values()} == {0}
    (product,) = newest(zone, "products").values()
    (experiment,) = newest(zone, "experiments").values()
    (post,) = newest(zone, "published_posts").values()
    poll = newest(zone, "performance_metrics")["100"]
    assert product["product_id"] == derived_key("supabase", "products", 1)
    assert experiment["product_id"] == product["product_id"]
    assert post["experiment_id"] == experiment["experiment_id"]
    assert poll["post_id"] == post["post_id"]
    assert json.loads(post["_extra"]) == {"post_id": 7, "experiment_id": "exp a"}
    vectors = newest(zone, "embeddings")
    assert vectors[1]["reference_id"] == post["post_id"]
    assert vectors[2]["reference_id"] == derived_key("supabase", "mood", "x")
    (said,) = [n for n in results["products"].notices if n.startswith("product_id")]
    assert "no uuids" in said
    # An update is a version of the same row.
    run(dsn, "update published_posts set platform_post_id = '75'")
    assert load(zone, dsn)["published_posts"].read == 1
    assert newest(zone, "published_posts")[7]["post_id"] == post["post_id"]
    assert load(zone, dsn, full=True)["published_posts"].load_id is None


def test_local_times_are_read_in_the_zone_that_is_given_and_remembered(
    zone: Landing, dsn: str
) -> None:
    first = load(zone, dsn)
    assert first["performance_metrics"].taken_for_utc == ("collected_at",)
    assert first["performance_metrics"].database_zone == "America/Los_Angeles"
    assert first["embeddings"].taken_for_utc == ()
    assert newest(zone, "performance_metrics")["100"]["collected_at"].hour == 16
    # With the zone everything that has such times is read again, and only that lands.
    second = load(zone, dsn, time_zone="America/Los_Angeles")
    assert {r.resource for r in second.values() if r.load_id} == {
        "products", "experiments", "published_posts", "performance_metrics",
    }  # fmt: skip
    assert not any(r.taken_for_utc for r in second.values())
    polls = newest(zone, "performance_metrics")
    assert polls["100"]["collected_at"] == datetime(2026, 10, 1, 23, 5, tzinfo=UTC)
    # Clocks showed half past one twice that night.
    assert polls["101"]["collected_at"] == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    (said,) = [n for n in second["performance_metrics"].notices if "twice" in n]
    assert "clocks in America/Los_Angeles showed twice: 1." in said
    assert newest(zone, "experiments")["exp a"]["created_at"].hour == 7
    # Whoever does not say it again means the same.
    run(dsn, "insert into performance_metrics values (102, 7, 1, '1', '2026-10-02 09:00')")
    third = load(zone, dsn)
    assert third["performance_metrics"].read == 1
    assert newest(zone, "performance_metrics")["102"]["collected_at"].hour == 16
    assert not any(r.taken_for_utc for r in third.values())
    with pytest.raises(UsageError, match="no time zone 'Mars'"):
        load(zone, dsn, time_zone="Mars")


def test_a_database_in_utc_or_with_zones_needs_no_word(zone: Landing, dsn: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    run(dsn, f"alter database \"{name}\" set timezone to 'Etc/UTC'")
    assert not any(r.taken_for_utc for r in load(zone, dsn).values())


@pytest.mark.parametrize(
    ("name", "utc"),
    [("UTC", True), ("Etc/UCT", True), ("GMT", True), ("Europe/London", False),
     ("Africa/Accra", True), ("<+07>-07", False)],
)  # fmt: skip
def test_zones_that_are_utc(name: str, utc: bool) -> None:
    assert is_utc(name) is utc


def test_a_table_of_which_every_row_is_rejected_fails(
    zone: Landing, dsn: str, ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(dsn, "alter table performance_metrics alter view_count type text using 'many'")
    results = load(zone, dsn)
    error = results["performance_metrics"].error
    assert error is not None
    assert "all 2 rows" in error
    assert "view_count: 'many' is not a whole number" in error
    assert results["products"].error is None
    with pytest.raises(SystemExit) as stopped:
        main(["load", "supabase", "--dsn", dsn])
    assert stopped.value.code == 1
    said = capsys.readouterr()
    assert "all 2 rows" in said.err
    assert said.out.count("the database's own time zone is America/Los_Angeles") == 1
    settings.cache_clear()


def test_one_bad_row_among_good_ones_is_no_failure(zone: Landing, dsn: str) -> None:
    load(zone, dsn)
    run(dsn, "insert into performance_metrics values (103, 7, 0.5, '1', '2026-10-02 09:00')")
    result = load(zone, dsn)["performance_metrics"]
    assert (result.read, result.rejected, result.error) == (1, 1, None)


def test_a_retry_reads_a_rejected_row_as_the_load_did(zone: Landing, dsn: str) -> None:
    run(dsn, "insert into performance_metrics values (103, 7, 0.5, '1', '2026-10-02 09:00')")
    load(zone, dsn, time_zone="America/Los_Angeles")
    (one,) = zone.rejected("supabase")
    assert json.loads(one.raw)["post_id"] == 7
    # As if the reason for its rejection were mended.
    mended = one.raw.replace(b"0.5", b"5")
    file = zone.storage.location(f"_rejected/supabase/performance_metrics/{one.load_id}.parquet")
    table = pl.read_parquet(file)
    before = pl.read_parquet_metadata(file)
    table.with_columns(pl.lit(mended).alias("raw")).write_parquet(
        file, metadata={k: v for k, v in before.items() if k != "ARROW:schema"}
    )
    (done,) = retry_rejected(Landing(zone.url))
    row = pl.read_parquet(done.file).to_dicts()[0]
    assert row["post_id"] == derived_key("supabase", "published_posts", 7)
    assert row["collected_at"] == datetime(2026, 10, 2, 16, tzinfo=UTC)
    assert json.loads(row["_extra"]) == {"metric_id": "103", "post_id": 7}


def test_marks_of_deletion_are_told_and_kept(zone: Landing, dsn: str) -> None:
    load(zone, dsn)
    run(
        dsn,
        "alter table published_posts add column deleted_at timestamptz",
        "alter table products add column is_deleted boolean default false",
    )
    assert not any("deleted" in n for r in load(zone, dsn).values() for n in r.notices)
    run(dsn, "update published_posts set deleted_at = now()")
    results = load(zone, dsn)
    (said,) = [n for n in results["published_posts"].notices if "deleted" in n]
    assert said.startswith("Rows that deleted_at marks as deleted in the database: 1.")
    assert "deleted_at" in json.loads(newest(zone, "published_posts")[7]["_extra"])
