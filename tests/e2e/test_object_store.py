"""A landing zone in an object store, from loading to a release and into Postgres."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from loaders.landing import Landing
from repositories.connection import open_release
from tests.support.histories import History, land
from tests.support.parsed import lend
from warehouse.build import build
from warehouse.build.raw_copy import copy_new_loads
from warehouse.settings import Settings

pytestmark = pytest.mark.postgres


def test_a_release_from_an_object_store(tmp_path: Path, postgres_url: str) -> None:
    landing = Landing(f"memory://{uuid.uuid4().hex}/landing")
    for load in History(7).loads(12):
        land(landing, load)
    landed = sum(load.accepted for load in landing.loads())
    config = Settings(tmp_path / "home", "duckdb", landing.url, None, None, {})
    said: list[str] = []
    noted: list[str] = []

    lend(config.home)
    result = build(say=said.append, note=noted.append, config=config)
    assert result.released
    assert said[0].startswith("Copied 12 new landed files")
    assert not (tmp_path / "home" / "landing").exists()
    with open_release(config.home) as reader:
        (row,) = reader.query("select sum(landed), sum(abs(balance)) from marts.row_ledger").rows
    assert tuple(map(int, row)) == (landed, 0)

    # The same zone is up to date as seen through the mirror: nothing is copied or built.
    said.clear()
    assert not build(say=said.append, note=noted.append, config=config).built
    assert len(said) == 1
    assert "already covers everything landed" in said[0]

    # Postgres is filled from the store itself.
    copied = copy_new_loads(landing, postgres_url)
    assert (copied.loads, copied.rows) == (12, landed)
    assert copy_new_loads(landing, postgres_url).loads == 0
