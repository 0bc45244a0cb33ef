"""A landed file that vanishes, breaks, comes back or is taken out: the next build heals.

Every state is compared with a warehouse that never saw anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.landing import Landing, Load
from loaders.landing.undo import undo
from repositories.connection import open_release
from tests.support.parsed import lend
from warehouse.build import build
from warehouse.build.consumed import consumed
from warehouse.settings import settings


def _land(home: Path, *names: str, **options: Any) -> Load:
    rows = {
        "product_id": [f"00000000-0000-0000-0000-{ord(n[0]):012d}" for n in names],
        "name": list(names),
        "source_platform": ["tiktok"] * len(names),
    }
    landing = Landing(home / "landing")
    with landing.open_load("files", "products", **options) as load:
        load.write(pl.DataFrame(rows))
        return load.commit()


def _state(home: Path) -> dict[str, Any]:
    """What readers see, and whether every row is accounted for."""
    with open_release(home) as reader:
        names = reader.query("select name from canonical.products order by 1").rows
        ledger = reader.query("select landed, accepted, balance from marts.row_ledger").rows
    return {"names": [row[0] for row in names], "ledger": ledger}


@pytest.fixture
def noted(ace_home: Path) -> Callable[[], str]:
    """Builds and returns what was noted."""
    lend(ace_home)

    def run() -> str:
        notes: list[str] = []
        build(say=lambda text: None, note=notes.append, config=settings())
        return "\n".join(notes)

    return run


def test_builds_heal_whatever_becomes_of_landed_files(
    ace_home: Path, noted: Callable[[], str]
) -> None:
    landing = Landing(ace_home / "landing")
    first, second, third = (_land(ace_home, name) for name in ("Apple", "Bread", "Cheese"))
    assert noted() == ""
    assert _state(ace_home) == {"names": ["Apple", "Bread", "Cheese"], "ledger": [(3, 3, 0)]}

    # One is damaged, one taken out, one loaded anew; foreign files lie about everywhere.
    Path(second.file).write_bytes(Path(second.file).read_bytes()[:-9])
    undo(landing, third.load_id)
    _land(ace_home, "Dates")
    for place in ("files/products", "files/_heartbeat", "elsewhere/products", "elsewhere/x"):
        folder = ace_home / "landing" / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "no.parquet").write_bytes(b"no")
    said = noted()
    assert f"The landed file {second.file} is unreadable. It is left out." in said
    assert second.load_id in said
    assert "Everything is built anew without them" in said
    assert _state(ace_home) == {"names": ["Apple", "Dates"], "ledger": [(2, 2, 0)]}
    # What comes back is taken up by an ordinary build.
    Path(second.file).unlink()
    _land(ace_home, "Bread")
    landed = {load.load_id for load in Landing(landing.url).loads()}
    assert consumed(settings(), "duckdb").must_start_anew(landed, None) is None
    assert first.load_id in landed
