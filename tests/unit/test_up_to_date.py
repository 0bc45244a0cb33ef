"""When a build has nothing to do: neither a load nor an answer of a source since the last one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loaders.landing import Landing
from tests.support.histories import Landed, land
from warehouse.build.live import _built_before, _up_to_date

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    zone = Landing(str(tmp_path))
    zone.prepare()
    land(zone, Landed("files", "products", [{"name": "Lamp"}], [AS_OF], AS_OF))
    return zone


def store(landing: Landing) -> Any:
    """One that has released and built all that has landed by now."""
    loads = {load.load_id for load in landing.loads()}
    current = SimpleNamespace(release=1, project_fingerprint="f", as_of=AS_OF)
    unreleased = SimpleNamespace(fingerprint="f", as_of=AS_OF, loads=loads)
    return SimpleNamespace(
        current=lambda: current, loads=lambda _: loads, unreleased=lambda: unreleased
    )


def is_covered(
    found: Any, landing: Landing, fingerprint: str = "f", fixed: bool = False
) -> tuple[bool, bool]:
    return (
        _up_to_date(found, landing, fingerprint, fixed) is not None,
        _built_before(found.unreleased(), landing, fingerprint, fixed),
    )


def test_all_that_landed_is_covered_by_this_project(landing: Landing) -> None:
    found = store(landing)
    assert is_covered(found, landing) == (True, True)
    assert is_covered(found, landing, "another project") == (False, False)


def test_a_load_is_news(landing: Landing) -> None:
    found = store(landing)
    land(landing, Landed("files", "products", [{"name": "Mug"}], [AS_OF], AS_OF))
    assert is_covered(found, landing) == (False, False)


def test_a_source_that_had_nothing_new_moves_as_of_on(landing: Landing) -> None:
    found = store(landing)
    landing.heartbeat("supabase", {}, loaded_at=AS_OF)
    assert is_covered(found, landing) == (True, True)
    landing.heartbeat("supabase", {}, loaded_at=AS_OF + timedelta(seconds=1))
    assert is_covered(found, landing) == (False, False)
    # A build that was told its as-of time does not move on.
    assert is_covered(found, landing, fixed=True) == (True, True)
