"""Where a parsed project is kept, and for which builds it serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.build.parsed import OF_ALL_HOMES_AT_MOST, Kept

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
    Kept(folder, "project", DUCKDB, beside=None).write(Manifest())
    kept = Kept(folder, fingerprint, environment, beside=None)
    assert kept.read() == (b"parsed" if serves else None)


def test_one_is_kept_and_nothing_half_written(tmp_path: Path) -> None:
    Kept(tmp_path, "project", DUCKDB, beside=None).write(Manifest())
    Kept(tmp_path, "project", POSTGRES, beside=None).write(Manifest())
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"parsed"


def test_another_home_begins_with_what_one_has_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt.contracts.graph.manifest.Manifest.from_msgpack", lambda data: data)
    beside = tmp_path / "project" / ".parsed"
    Kept(tmp_path / "one", "project", DUCKDB, beside).write(Manifest())
    assert Kept(tmp_path / "other", "project", DUCKDB, beside).read() == b"parsed"
    assert Kept(tmp_path / "other", "changed", DUCKDB, beside).read() is None
    for number in range(9):
        Kept(tmp_path / "one", f"project {number}", DUCKDB, beside).write(Manifest())
    assert len(list(beside.iterdir())) == OF_ALL_HOMES_AT_MOST
    assert Kept(tmp_path / "other", "project 8", DUCKDB, beside).read() == b"parsed"
    assert Kept(tmp_path / "other", "project", DUCKDB, beside).read() is None


def test_a_project_that_can_only_be_read_is_parsed_in_each_home(tmp_path: Path) -> None:
    beside = tmp_path / "project"
    beside.write_text("no folder")
    Kept(tmp_path / "one", "project", DUCKDB, beside).write(Manifest())
    assert len(list((tmp_path / "one").iterdir())) == 1
    assert Kept(tmp_path / "other", "project", DUCKDB, beside).read() is None
