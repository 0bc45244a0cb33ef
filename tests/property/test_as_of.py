"""A build as of a time knows nothing of what became known later."""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.landing import Landing
from tests.support.builds import Warehouse, differences
from tests.support.examples import examples
from tests.support.histories import START, History, Landed, land
from tests.support.seasons import SEASONS, Season

#: The rejected records of a load have no time of their own: whole loads are cut in two.
FEW = settings(
    max_examples=examples(1),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def part(load: Landed, *, known: bool, cut: datetime) -> Landed | None:
    """The rows of a load that were known at a time, or those that were not."""
    chosen = [n for n, at in enumerate(load.known_at) if (at <= cut) == known]
    if not chosen:
        return None
    rows = [load.rows[n] for n in chosen]
    return replace(load, rows=rows, known_at=[load.known_at[n] for n in chosen])


def models(as_of: datetime) -> tuple[str, ...]:
    """Arguments of a build as of a time, by a project whose contracts others ask for."""
    fixed = json.dumps({"as_of": as_of.isoformat(), "contracts_held": True})
    return "--exclude-resource-type", "test", "unit_test", "--vars", fixed


@FEW
@given(seed=st.integers(0, 2**32), hours=st.integers(250, 440))
def test_a_build_as_of_a_time_is_the_same_whatever_landed_since(seed: int, hours: int) -> None:
    loads = History(seed).loads(60)
    as_of = START + timedelta(hours=hours)
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(str(Path(folder) / "landing"))
        landing.prepare()
        built = {}
        for name, known in (("before", True), ("after", False)):
            for load in loads:
                cut = part(load, known=known, cut=as_of)
                if cut is not None:
                    land(landing, cut)
            (Path(folder) / name).mkdir()
            warehouse = Warehouse(Path(folder) / name, landing)
            warehouse.build(*models(as_of))
            built[name] = warehouse.result()
        assert differences(built["before"], built["after"]) == []


@FEW
@given(seed=st.integers(0, 2**32), first=st.integers(200, 330))
def test_moving_on_in_steps_of_time_equals_one_build(seed: int, first: int) -> None:
    """As-of times that follow each other, over the same landing, then everything at once."""
    loads = History(seed).loads(45)
    random.Random(seed).shuffle(loads)
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(str(Path(folder) / "landing"))
        landing.prepare()
        for load in loads:
            land(landing, load)
        stepwise, once = (Warehouse(Path(folder) / name, landing) for name in ("a", "b"))
        for hours in (first, first + 120):
            as_of = START + timedelta(hours=hours)
            stepwise.home.mkdir(exist_ok=True)
            stepwise.build(*models(as_of))
        once.home.mkdir()
        once.build(*models(as_of))
        assert differences(stepwise.result(), once.result()) == []


@pytest.mark.parametrize("seed", SEASONS)
def test_a_season_as_of_a_time_is_the_same_in_steps_and_whatever_landed_since(seed: int) -> None:
    steps = Season(seed).steps
    between, as_of = steps[0].at, steps[1].at + timedelta(days=7)
    loads = [load for step in steps for load in step.loads()]
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(str(Path(folder) / "landing"))
        landing.prepare()
        stepwise, once = (Warehouse(Path(folder) / name, landing) for name in ("a", "b"))
        for warehouse in (stepwise, once):
            warehouse.home.mkdir()
        for load in loads:
            cut = part(load, known=True, cut=as_of)
            if cut is not None:
                land(landing, cut)
        for time in (between, as_of):
            stepwise.build(*models(time))
        for load in loads:
            cut = part(load, known=False, cut=as_of)
            if cut is not None:
                land(landing, cut)
        once.build(*models(as_of))
        assert differences(stepwise.result(), once.result()) == []
