"""A build as of a time knows nothing of what became known later."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.landing import Landing
from tests.support.builds import Warehouse, differences
from tests.support.examples import examples
from tests.support.histories import START, History, Landed, land

#: The rejected records of a load have no time of their own: whole loads are cut in two.
FEW = settings(
    max_examples=examples(2),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def part(load: Landed, *, known: bool, hours: float) -> Landed | None:
    """The rows of a load that were known ``hours`` after the start, or those that were not."""
    cut = START + timedelta(hours=hours)
    chosen = [n for n, at in enumerate(load.known_at) if (at <= cut) == known]
    if not chosen:
        return None
    rows = [load.rows[n] for n in chosen]
    return replace(load, rows=rows, known_at=[load.known_at[n] for n in chosen])


@FEW
@given(seed=st.integers(0, 2**32), hours=st.integers(250, 440))
def test_a_build_as_of_a_time_is_the_same_whatever_landed_since(seed: int, hours: int) -> None:
    loads = History(seed).loads(60)
    as_of = (START + timedelta(hours=hours)).isoformat()
    models = ("--exclude-resource-type", "test", "unit_test", "--vars", f'{{"as_of": "{as_of}"}}')
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(str(Path(folder) / "landing"))
        landing.prepare()
        built = {}
        for name, known in (("before", True), ("after", False)):
            for load in loads:
                cut = part(load, known=known, hours=hours)
                if cut is not None:
                    land(landing, cut)
            (Path(folder) / name).mkdir()
            warehouse = Warehouse(Path(folder) / name, landing)
            warehouse.build(*models)
            built[name] = warehouse.result()
        assert differences(built["before"], built["after"]) == []


@settings(FEW, max_examples=examples(1))
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
            as_of = (START + timedelta(hours=hours)).isoformat()
            models = (
                *("--exclude-resource-type", "test", "unit_test"),
                *("--vars", f'{{"as_of": "{as_of}"}}'),
            )
            stepwise.home.mkdir(exist_ok=True)
            stepwise.build(*models)
        once.home.mkdir()
        once.build(*models)
        assert differences(stepwise.result(), once.result()) == []
