"""The whole simulated world, built on Spark's SQL and released: the same rows as DuckDB's, also
after more has landed and only that was built.

Sail builds it in this process and without Java, through what ``ace build --target spark`` calls.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from common.errors import AceError
from common.settings import Settings
from loaders.landing import Landing
from repositories.warehouse import Warehouse as Readers
from tests.support.builds import Warehouse
from tests.support.on_spark import (
    built,
    changed_rows,
    killed,
    land_polls,
    macro_tests,
    other_rows,
    release_number,
    released_by_spark,
    spark_tables,
)
from warehouse.settings import PROJECT_ROOT


@pytest.fixture(scope="module")
def grows(demo: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The world as DuckDB built it, for these tests alone: more lands in it."""
    home = tmp_path_factory.mktemp("grows") / "demo"
    shutil.copytree(demo.home, home)
    return Warehouse(home, Landing(str(home / "landing")))


@pytest.fixture(scope="module")
def spark(grows: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The world as a release that Spark built."""
    pytest.importorskip("pysail", reason="Sail is not installed: sh requirements/install.sh spark")
    return released_by_spark(grows, tmp_path_factory.mktemp("spark"))


def test_every_table_has_the_rows_that_duckdb_has(demo: Warehouse, spark: Settings) -> None:
    assert other_rows(demo, spark) == []


def test_its_columns_have_the_types_that_duckdb_gives_them(
    demo_release: Settings, spark: Settings
) -> None:
    # Whole numbers of seeds are bigint there, which nobody promises.
    query = (
        "select table_schema, table_name, column_name, type from meta.columns "
        "where table_schema <> 'reference' order by all"
    )
    with Readers.open(config=demo_release) as usual, Readers.open(config=spark) as released:
        assert released.release.engine == "spark"
        assert released.query(query) == usual.query(query)


def test_macros_give_what_they_give_elsewhere(tmp_path: Path) -> None:
    """What their tests expect was computed by others; DuckDB and Postgres are held to the same."""
    pytest.importorskip("pysail", reason="Sail is not installed: sh requirements/install.sh spark")
    found = macro_tests(tmp_path)
    assert found.keys() == {path.stem for path in (PROJECT_ROOT / "tests/dbt").glob("*_macros.sql")}
    assert {name: status for name, status in found.items() if status != "pass"} == {}


def test_what_is_built_is_not_built_again(spark: Settings) -> None:
    assert not built(spark)


def test_increments_that_failed_or_were_killed_are_made_up_for_by_the_next(
    grows: Warehouse, spark: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt.adapters.spark.session import Cursor

    before = spark_tables(spark)
    land_polls(grows)
    with monkeypatch.context() as broken:
        execute = Cursor.execute

        def fails(self: Cursor, sql: str, *values: Any) -> None:
            # Its next version is written, and takes the place of this one.
            if "drop table build_intermediate.int_performance_metrics" in sql:
                raise RuntimeError("gone")
            execute(self, sql, *values)

        broken.setattr(Cursor, "execute", fails)
        with pytest.raises(AceError):
            built(spark)
    assert release_number(spark) == 1
    assert before < spark_tables(spark)

    killed(spark)
    assert release_number(spark) == 1
    assert before < spark_tables(spark)

    assert built(spark)
    grows.build()
    assert other_rows(grows, spark) == []
    # Whoever reads what is new sees no more than on DuckDB.
    examples = "intermediate.int_forecast_examples"
    counts = f"select count(*) as n from {examples} group by _build order by _build desc"
    assert changed_rows(spark, examples) == grows.query(counts)[0]["n"]
    kept = {place.partition("/")[2] for place in before & spark_tables(spark)}
    assert "build_intermediate/int_performance_metrics" not in kept
    assert {"build_intermediate/int_scripts", "build_reference/age_horizons"} <= kept
