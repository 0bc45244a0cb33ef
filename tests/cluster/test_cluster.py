"""The simulated world, built on a standalone cluster of Apache Spark: the same rows as DuckDB's,
also after more has landed and only that was built, although a build of it was killed.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.cluster.standalone import cluster
from tests.support.demo import demo_warehouse
from tests.support.on_spark import (
    built,
    killed,
    land_polls,
    other_rows,
    release_number,
    released_by_spark,
    spark_tables,
)
from warehouse.settings import PROJECT_ROOT


def test_every_table_has_the_rows_that_duckdb_has_in_full_and_after_an_increment(
    tmp_path: Path,
) -> None:
    world = demo_warehouse(tmp_path / "world")
    with cluster(PROJECT_ROOT / os.environ["CLUSTER_SPARK"], tmp_path / "cluster") as address:
        spark = released_by_spark(world, tmp_path / "home", address)
        assert other_rows(world, spark) == []
        before = spark_tables(spark)
        land_polls(world)
        killed(spark)
        assert release_number(spark) == 1
        assert before < spark_tables(spark)
        assert built(spark)
    world.build()
    assert other_rows(world, spark) == []
    # Not in full: what the news do not touch lies where it lay.
    assert len(before & spark_tables(spark)) > 20
