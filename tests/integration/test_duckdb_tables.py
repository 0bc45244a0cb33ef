"""What our materializations on DuckDB leave in the file, whatever was there before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loaders.landing import Landing
from tests.support import builds
from tests.support.builds import Warehouse
from tests.support.parsed import parsed_project

MODEL = "int_post_standing"
ONLY = ("--select", MODEL, "--exclude-resource-type", "test", "unit_test")


class Changing:
    """A project whose model is another one in each run."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.schema = warehouse.schema("intermediate")
        self.materialized = self.sql = ""

    def project(self, *arguments: Any) -> Any:
        manifest = parsed_project(*arguments)
        model = manifest.nodes[f"model.ace_warehouse.{MODEL}"]
        model.config.materialized = self.materialized
        model.config.incremental_strategy = "differences"
        model.config.unique_key = "post_id"
        model.raw_code = self.sql
        return manifest

    def run(self, materialized: str, sql: str, *arguments: str) -> bool:
        self.materialized, self.sql = materialized, sql
        return self.warehouse.dbt("build", *ONLY, *arguments)

    def rows(self) -> list[tuple[Any, ...]]:
        found = self.warehouse.query(f"select * from {self.schema}.{MODEL} order by all")
        return [tuple(row.values()) for row in found]

    def kinds(self) -> list[tuple[Any, ...]]:
        """Every table and view that the model left, by name and type."""
        found = self.warehouse.query(
            "select table_name, table_type from information_schema.tables "
            f"where table_name like '{MODEL}%'"
        )
        return [tuple(row.values()) for row in found]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changing:
    landing = Landing(str(tmp_path / "landing"))
    landing.prepare()
    changing = Changing(Warehouse(tmp_path, landing))
    monkeypatch.setattr(builds, "parsed_project", changing.project)
    return changing


def test_a_view_becomes_a_table_and_the_other_way(model: Changing) -> None:
    for turn, (materialized, kind) in enumerate(
        [("view", "VIEW"), ("table", "BASE TABLE"), ("table", "BASE TABLE"), ("view", "VIEW")]
    ):
        assert model.run(materialized, f"select {turn} as post_id"), model.warehouse.failures
        assert model.rows() == [(turn,)]
        assert model.kinds() == [(MODEL, kind)]


def test_an_increment_writes_what_its_strategy_says_and_leaves_nothing_beside(
    model: Changing,
) -> None:
    first = "select 1 as post_id, 'a' as name, 7 as _build union all select 2, 'b', 7"
    later = "select 'c' as name, 2 as post_id, 8 as _build union all select 'a', 1, 8"
    assert model.run("incremental", first), model.warehouse.failures
    # The same columns in another order; the row that is as it was keeps its build.
    assert model.run("incremental", later), model.warehouse.failures
    assert model.rows() == [(1, "a", 7), (2, "c", 8)]
    assert model.kinds() == [(MODEL, "BASE TABLE")]


@pytest.mark.parametrize(
    "columns", ["1 as post_id, 'a' as name", "1 as post_id, 7 as _build, 'a' as name, 3 as more",
                "'1' as post_id, 'a' as name, 7 as _build"],
    ids=["one less", "one more", "another type"],
)  # fmt: skip
def test_an_increment_of_other_columns_fails_and_leaves_the_table(
    model: Changing, columns: str
) -> None:
    assert model.run("incremental", "select 1 as post_id, 'a' as name, 7 as _build")
    assert not model.run("incremental", f"select {columns}")
    assert "gives other columns" in model.warehouse.failures[0]
    assert model.rows() == [(1, "a", 7)]
    assert model.run("incremental", f"select {columns}", "--full-refresh")
    assert len(model.rows()[0]) == columns.count(" as ")
