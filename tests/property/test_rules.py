"""Whatever lands, no rule of a mart stops a build: what breaks one waits in quarantine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.landing import Landing
from tests.support.builds import Warehouse
from tests.support.examples import examples
from tests.support.histories import History, land


@settings(
    max_examples=examples(2),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_every_test_of_the_models_passes_on_random_histories(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(str(Path(folder) / "landing"))
        landing.prepare()
        for load in History(seed).loads(70):
            land(landing, load)
        (Path(folder) / "built").mkdir()
        warehouse = Warehouse(Path(folder) / "built", landing)
        passed = warehouse.dbt("build", "--exclude-resource-type", "unit_test")
        assert warehouse.failures == []
        assert passed
