"""Indexes that readers of a DuckDB release find rows by."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.support import small_warehouse
from warehouse.release.duckdb import DuckStore


def _indexes(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select table_name, expressions from duckdb_indexes() order by all"
    ).fetchall()


def test_a_release_has_them_and_its_build_has_none(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    small_warehouse.make(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table marts.post_age_metrics as from marts.post_metric_history")
        # A view of the build that a release has as a table.
        connection.execute("alter table marts.post_performance rename to posts")
        connection.execute(
            "create view marts.post_performance as select posts.*, "
            "(select max(build) from meta.this_build) as build from marts.posts"
        )
    store = DuckStore(tmp_path, path, 5)
    store.record_passed(small_warehouse.passed())
    store.publish()
    with duckdb.connect(str(path), read_only=True) as connection:
        assert _indexes(connection) == []
    with duckdb.connect(str(tmp_path / "current.duckdb"), read_only=True) as connection:
        plan = connection.execute(
            "explain analyze from marts.post_metric_history "
            "where post_id = '00000000-0000-0000-0000-000000000002'"
        ).fetchall()[0][1]
        assert _indexes(connection) == [
            ("post_age_metrics", "[post_id]"),
            ("post_metric_history", "[post_id]"),
            ("post_performance", "[post_id]"),
        ]
    assert "Index Scan" in plan
    assert "4 rows" in plan
