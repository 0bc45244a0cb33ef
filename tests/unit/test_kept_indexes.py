"""Indexes that readers of a DuckDB release find rows by: dropped before many rows change."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from tests.support import small_warehouse
from tests.support.macros import environment, macro_source
from warehouse.release.duckdb import DuckStore


def _indexes(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select table_name, expressions from duckdb_indexes() order by all"
    ).fetchall()


@pytest.mark.parametrize(
    ("changed", "stays", "engine"),
    [(20, True, "duckdb"), (21, False, "duckdb"), (1000, True, "postgres")],
)
def test_an_index_goes_before_more_than_a_fiftieth_changes(
    changed: int, stays: bool, engine: str
) -> None:
    dropped: list[str] = []
    with duckdb.connect() as connection:
        connection.execute("create table kept as from range(1000)")
        connection.execute(f"create table new_rows as from range({changed})")

        def run_query(sql: str) -> Any:
            return SimpleNamespace(rows=connection.execute(sql).fetchall())

        made = environment(engine)
        made.globals.update(
            execute=True, run_query=run_query, drop_indexes_on_relation=dropped.append
        )
        module: Any = made.from_string(macro_source()).module
        assert module.drop_indexes_before_many("kept", "new_rows").strip() == ""
    assert dropped == ([] if stays else ["kept"])


def test_a_build_that_passed_has_them_again(tmp_path: Path) -> None:
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
        # As dbt names them, and of no use to who looks for a post.
        connection.execute("create index a on marts.post_age_metrics (post_id)")
        connection.execute("create index b on marts.post_metric_history (post_id, collected_at)")
    store = DuckStore(tmp_path, path, 5)
    for _ in range(2):
        store.record_passed(small_warehouse.passed())
    store.publish()
    with duckdb.connect(str(path), read_only=True) as connection:
        assert "post_performance" not in dict(_indexes(connection))
    with duckdb.connect(str(tmp_path / "current.duckdb"), read_only=True) as connection:
        plan = connection.execute(
            "explain analyze from marts.post_metric_history "
            "where post_id = '00000000-0000-0000-0000-000000000002'"
        ).fetchall()[0][1]
        assert _indexes(connection) == [
            ("post_age_metrics", "[post_id]"),
            ("post_metric_history", "[post_id, collected_at]"),
            ("post_metric_history", "[post_id]"),
            ("post_performance", "[post_id]"),
        ]
    assert "Index Scan" in plan
    assert "4 rows" in plan
