"""Where a parsed project is kept, and for which builds it serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.build.parsed import Kept

DUCKDB = {"ACE_WAREHOUSE": "/one/home/warehouse.duckdb"}
POSTGRES = DUCKDB | {"ACE_PG_DATABASE": "shop"}


class Manifest:
    def to_msgpack(self) -> bytes:
        return b"parsed"


@pytest.mark.parametrize(
    ("fingerprint", "environment", "serves"),
    [
        ("project", DUCKDB, True),
        # A home that was moved, or that is reached by a link with a plain name.
        ("project", {"ACE_WAREHOUSE": "/tmp/ace-x1/home/warehouse.duckdb"}, True),
        ("project", {"ACE_WAREHOUSE": "/one/home/other.duckdb"}, False),
        ("project", POSTGRES, False),
        ("changed", DUCKDB, False),
    ],
)
def test_a_parsed_project_serves_where_its_names_are_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fingerprint: str,
    environment: dict[str, str],
    serves: bool,
) -> None:
    monkeypatch.setattr("dbt.contracts.graph.manifest.Manifest.from_msgpack", lambda data: data)
    folder = tmp_path / "dbt" / "duckdb"
    Kept(folder, "project", DUCKDB).write(Manifest())
    assert Kept(folder, fingerprint, environment).read() == (b"parsed" if serves else None)


def test_one_is_kept_and_nothing_half_written(tmp_path: Path) -> None:
    Kept(tmp_path, "project", DUCKDB).write(Manifest())
    Kept(tmp_path, "project", POSTGRES).write(Manifest())
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"parsed"
