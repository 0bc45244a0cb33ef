"""A world as a release that Spark built, what lands in it, and what differs from DuckDB's."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from common.settings import Settings
from loaders.landing import Landing
from repositories.warehouse import Warehouse as Readers
from tests.support.builds import Warehouse, differences
from tests.support.histories import Landed, land
from tests.support.killed import IN_A_MODEL, dies
from tests.support.parsed import arguments, parsed_project
from warehouse.build import build
from warehouse.build.dbt_run import _environment
from warehouse.build.environment import build_environment
from warehouse.spark.building import spark_build
from warehouse.spark.session import MASTER
from warehouse.spark.versions import held, read_parquet


@dataclass
class Released(Warehouse):
    """The current release of a home, read as builds are."""

    @property
    def database(self) -> Path:
        return self.home / "current.duckdb"


def released_by_spark(world: Warehouse, home: Path, master: str = "local") -> Settings:
    """Settings that find the release, which is made in ``home`` of what landed in the world."""
    config = Settings(home, "spark", world.landing.url, None, None, {MASTER: master})
    built(config)
    return config


def built(config: Settings) -> bool:
    """Build what is new there; false where nothing is."""
    return build(config=config, say=lambda _: None, note=lambda _: None).built


def killed(config: Settings) -> None:
    """A build dies in its last model: all others are made, and tables of its own steps."""
    dies(config, IN_A_MODEL, "creative_briefs", "drop table", patience=1800)


def own_rows_tests(config: Settings, left_out: Iterable[str] = ()) -> dict[str, str]:
    """The status of every test that brings its rows, of macros and of models, by its name; on Sail,
    in a session that has the tables of the last build."""
    from dbt.cli.main import dbtRunner

    landing = Landing(config.landing)
    with (
        spark_build(config, landing, None, anew=False, increment=None) as opened,
        _environment(build_environment(config, landing) | opened.environment),
    ):
        told = [*arguments(config.home, "spark"), "--threads", "2"]
        manifest = parsed_project("spark", told)
        chosen = ("--select", "tag:macros", "test_type:unit", "--exclude", *left_out)
        done: Any = dbtRunner(manifest=manifest).invoke(["test", *chosen, *told])
        assert done.exception is None
        shutil.rmtree(opened.tables)
        return {
            one.node.name: f"{one.status} {one.message or ''}".strip()
            for one in done.result
            if one.node.resource_type in ("test", "unit_test")
        }


def release_number(config: Settings) -> int | None:
    """The release that readers see."""
    with Readers.open(config=config) as released:
        return released.release.number


def land_polls(world: Warehouse) -> None:
    """One poll more of some posts, an hour after all that was known."""
    known = max(load.landed_at for load in world.landing.loads())
    polls = world.query(
        "select post_id, max(views) as views from canonical.performance_metrics "
        "group by post_id order by post_id limit 5"
    )
    rows: list[dict[str, Any]] = [
        {"post_id": str(one["post_id"]), "views": one["views"] + 100, "collected_at": known}
        for one in polls
    ]
    later = known + timedelta(hours=1)
    land(world.landing, Landed("demo", "performance_metrics", rows, [later] * 5, later))


def spark_tables(config: Settings) -> set[str]:
    """Folders of its tables: build, schema and name."""
    tables = config.home / "spark" / "tables"
    return {str(path.relative_to(tables)) for path in tables.glob("*/*/*")}


def changed_rows(config: Settings, table: str) -> int:
    """How many rows of a table (``schema.name``) the last build that changed it wrote."""
    folder = next(
        one.folder
        for one in held(config.home / "spark").versions
        if f"{one.schema}.{one.name}" == table
    )
    rows = read_parquet(config.home / "spark" / "tables" / str(folder))
    found = duckdb.execute(f"select count(*) from {rows} group by _build order by _build desc")
    return int(found.fetchall()[0][0])


def other_rows(world: Warehouse, spark: Settings) -> list[str]:
    """What tables have other rows than the world's."""
    return differences(world.result(), Released(spark.home, world.landing).result())
