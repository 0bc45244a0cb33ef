"""A world as a release that Spark built, and what of it differs from the warehouse on DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.settings import Settings
from tests.support.builds import Warehouse, differences
from warehouse.build import build
from warehouse.spark.session import MASTER


@dataclass
class Released(Warehouse):
    """The current release of a home, read as builds are."""

    @property
    def database(self) -> Path:
        return self.home / "current.duckdb"


def released_by_spark(world: Warehouse, home: Path, master: str = "local") -> Settings:
    """Settings that find the release, which is made in ``home`` of what landed in the world."""
    config = Settings(home, "spark", world.landing.url, None, None, {MASTER: master})
    build(config=config, say=lambda _: None, note=lambda _: None)
    return config


def other_rows(world: Warehouse, spark: Settings) -> list[str]:
    """What tables have other rows than the world's."""
    return differences(world.result(), Released(spark.home, world.landing).result())
