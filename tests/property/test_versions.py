"""What the versions of age metrics say of any time is what a build as of that time says.

The builds of the past run on one warehouse, each on top of the one before, so that the
versions are made incrementally as well; they must come out as one build over everything.
"""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.landing import Landing
from tests.support.builds import Warehouse, plain
from tests.support.examples import examples
from tests.support.histories import land
from tests.support.random_polls import RandomPolls

# A build takes seconds: few examples, each with many posts and several looks back.
FEW = settings(
    max_examples=examples(2),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MODELS = ("--select", "+post_age_metrics", "--exclude-resource-type", "test", "unit_test")
VALUES = "status, views, likes, comments, shares, engagement_rate"
VERSIONS = "intermediate.int_post_age_metric_versions"

Said = dict[tuple[Any, ...], tuple[Any, ...]]


def said(warehouse: Warehouse, sql: str) -> Said:
    """Post and horizon to what was said of them and since when; pending is not said."""
    found = {}
    for row in warehouse.query(sql):
        key, values = list(row.values())[:2], list(row.values())[2:]
        if values[0] != "pending" or any(value is not None for value in values[1:6]):
            found[plain(key)] = plain(values)
    return found


def build_as_of(warehouse: Warehouse, moment: datetime) -> Said:
    variables = json.dumps({"as_of": moment.isoformat()})
    warehouse.build(*MODELS, "--vars", variables)
    return said(
        warehouse, f"select post_id, horizon_hours, {VALUES}, known_at from marts.post_age_metrics"
    )


def versions_at(warehouse: Warehouse, moment: datetime) -> Said:
    return said(
        warehouse,
        f"select post_id, horizon_hours, {VALUES}, known_from from {VERSIONS}"
        f" where known_from <= '{moment.isoformat()}'"
        f" and (known_to is null or known_to > '{moment.isoformat()}')",
    )


@FEW
@given(seed=st.integers(0, 2**32))
def test_versions_are_the_past(seed: int) -> None:
    polls = RandomPolls(seed, posts=60)
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(str(Path(folder) / "landing"))
        landing.prepare()
        for load in polls.loads():
            land(landing, load)
        warehouses = []
        for name in ("incremental", "full"):
            (Path(folder) / name).mkdir()
            warehouses.append(Warehouse(Path(folder) / name, landing))
        incremental, full = warehouses

        moments = polls.moments(3)
        past = [build_as_of(incremental, moment) for moment in moments]
        incremental.build(*MODELS)
        full.build(*MODELS)

        everything = f"select * from {VERSIONS} order by post_id, horizon_hours, known_from"
        assert incremental.query(everything) == full.query(everything)
        for moment, built in zip(moments, past, strict=True):
            assert versions_at(full, moment) == built, moment
            assert built
