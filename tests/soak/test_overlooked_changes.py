"""A season touches every incremental model: leave one out of its increments, and rows differ.

Each model that keeps rows from build to build decides itself what of them is stale. That the
seasons hold all that can make its rows stale is seen by taking the decision away from it.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from loaders.landing import Landing
from tests.support.builds import Warehouse, differences
from tests.support.seasons import Season
from warehouse.settings import PROJECT_ROOT

MATERIALIZED = re.compile(r"materialized=['\"](\w+)['\"]")


def materialized(model: Path) -> str:
    """How a model is kept; versions say it once for all of them, in dbt_project.yml."""
    said = MATERIALIZED.search(model.read_text())
    return said[1] if said else "incremental" if model.parent.name == "versions" else "view"


INCREMENTAL = sorted(
    path.stem
    for path in (PROJECT_ROOT / "models").rglob("*.sql")
    if materialized(path) == "incremental"
)


@dataclass
class Begun:
    """A season whose first step is built, to go on from again and again; and how it ends."""

    warehouse: Warehouse
    #: The build database after the first step.
    database: Path
    #: What is landed after each later step.
    landings: list[Path]
    ended: dict[str, list[tuple[object, ...]]]

    def go_on(self, overlooked: str | None) -> list[str]:
        """Build step by step to the end; the tables that are not as they have to be."""
        shutil.copy(self.database, self.warehouse.database)
        self.warehouse.overlooked = overlooked
        for landed in self.landings:
            replace(Path(self.warehouse.landing.url), landed)
            self.warehouse.build()
        return differences(self.warehouse.result(), self.ended)


def replace(folder: Path, by: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(by, folder)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    folder = tmp_path_factory.mktemp("overlooked")
    landing = Landing(str(folder / "landing"))
    landing.prepare()
    for name in ("first", "full"):
        (folder / name).mkdir()
    warehouse = Warehouse(folder / "first", landing)
    first, *later = Season(1).steps
    first.land(landing)
    warehouse.build()
    database = Path(shutil.copy(warehouse.database, folder))
    landings = []
    for number, step in enumerate(later):
        step.land(landing)
        landings.append(Path(shutil.copytree(folder / "landing", folder / f"step{number}")))
    full = Warehouse(folder / "full", landing)
    full.build()
    return Begun(warehouse, database, landings, full.result())


def test_nothing_overlooked(begun: Begun) -> None:
    assert begun.go_on(None) == []


@pytest.mark.parametrize("model", INCREMENTAL)
def test_a_model_left_out_is_noticed(begun: Begun, model: str) -> None:
    try:
        noticed = begun.go_on(model)
    except AssertionError as failed:  # what reads it cannot be built
        noticed = [str(failed)]
    assert noticed
