"""The whole simulated world, built on Spark's SQL and released: the same rows as DuckDB's.

Sail builds it in this process and without Java, through what ``ace build --target spark`` calls.
"""

from __future__ import annotations

import pytest

from common.settings import Settings
from repositories.warehouse import Warehouse as Readers
from tests.support.builds import Warehouse
from tests.support.on_spark import other_rows, released_by_spark
from warehouse.build import build


@pytest.fixture(scope="module")
def spark(demo: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The world as a release that Spark built."""
    pytest.importorskip("pysail", reason="Sail is not installed: sh requirements/install.sh spark")
    return released_by_spark(demo, tmp_path_factory.mktemp("spark"))


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


def test_what_is_built_is_not_built_again_and_leaves_no_tables_behind(spark: Settings) -> None:
    assert not build(config=spark, say=lambda _: None).built
    assert [path.name for path in (spark.home / "spark").iterdir()] == ["warehouse.duckdb"]
