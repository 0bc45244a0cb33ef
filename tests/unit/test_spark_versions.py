"""The folders that builds on Spark leave to each other, and what says which is which."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from warehouse.spark.versions import Version, finds_in_tables, held, sweep, write_pointer

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TABLE = Version("marts", "posts", "1-a/build_marts/posts", ["post_id"], ["bigint"])
VIEW = Version("canonical", "posts", sql="create or replace view build_canonical.posts as select 1")


def _write(home: Path, folder: str, rows: int = 1) -> Path:
    place = home / "tables" / folder
    place.mkdir(parents=True)
    duckdb.sql(f"copy (select 1 as post_id limit {rows}) to '{place}/part.parquet'")
    return place


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What one build left that passed."""
    _write(tmp_path, "1-a/build_marts/posts")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema meta")
        connection.execute("create table meta.loads as select 'l1' as load_id")
        connection.execute(
            "create table meta.builds as select 1::bigint as build, $1::timestamptz as started_at, "
            "$1::timestamptz as as_of, 'i' as invocation_id",
            [NOW],
        )
        connection.execute("create table meta.passed as select 1::bigint as build")
        write_pointer(connection, [TABLE, VIEW])
    return tmp_path


def test_a_build_begins_from_the_tables_that_the_pointer_names(home: Path) -> None:
    found = held(home)
    assert found.versions == (TABLE, VIEW)
    assert found.relations == {"marts.posts", "canonical.posts"}
    assert (found.loads, found.build, found.passed) == (frozenset({"l1"}), 1, 1)


def test_tables_whose_folder_is_gone_are_none(home: Path) -> None:
    (home / "tables/1-a/build_marts/posts/part.parquet").unlink()
    (home / "tables/1-a/build_marts/posts").rmdir()
    assert (held(home).versions, held(home).build) == ((), 1)


def test_a_file_without_a_pointer_holds_no_tables(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("drop table meta.spark_tables")
    assert (held(home).versions, held(home).build) == ((), 1)
    assert held(home / "nowhere").build == 0


def test_only_what_the_pointer_names_is_left(home: Path) -> None:
    killed = _write(home, "2-b/build_marts/posts")
    other = _write(home, "1-a/build_marts/replaced")
    sweep(home / "tables", held(home).versions)
    assert not killed.parent.parent.exists()
    assert not other.exists()
    assert held(home).versions


def test_a_query_finds_rows_of_the_tables(home: Path) -> None:
    assert finds_in_tables(home, "select 1 from build_marts.posts where post_id = 1")
    assert not finds_in_tables(home, "select 1 from build_marts.posts where post_id = 2")
