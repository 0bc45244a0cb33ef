"""``ace releases``: list, show and rollback."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from common.errors import AceError
from tests.support import small_warehouse
from warehouse.cli.releases import command
from warehouse.release.duckdb import DuckStore
from warehouse.release.runs import Run


@pytest.fixture
def two(ace_home: Path) -> Path:
    for build in (1, 2):
        small_warehouse.make(ace_home / "warehouse.duckdb", build=build)
        store = DuckStore(ace_home, ace_home / "warehouse.duckdb", 5)
        store.record_passed(small_warehouse.passed(build))
        store.publish()
    return ace_home


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_list_marks_the_current_one(two: Path) -> None:
    kept = json.loads(_run("list", "--json").output)
    assert [(one["release"], one["current"]) for one in kept] == [(2, True), (1, False)]
    assert set(kept[0]) == {
        "release", "released_at", "as_of", "git_revision", "dbt_version", "engine",
        "project_fingerprint", "invocation_id", "current",
        "began_at", "seconds", "rows_accepted", "tests_run", "tests_warned", "warnings",
    }  # fmt: skip
    assert "*     2" in _run().output


def test_list_tells_of_the_build_that_made_each(two: Path) -> None:
    began = datetime(2026, 11, 20, 12, tzinfo=UTC)
    built = Run(
        "b", began, seconds=48.4, outcome="released", release=2, rows_accepted=1_234_567,
        tests_run=123, tests_warned=1, warnings="unknown_names",
    )  # fmt: skip
    failed = Run("c", began + timedelta(hours=1), seconds=9, outcome="failed", tests_run=7)
    DuckStore(two, two / "warehouse.duckdb", 5).keep_runs([built, failed])
    new, old = json.loads(_run("list", "--json").output)
    assert new["began_at"] == "2026-11-20T12:00:00Z"
    assert (new["seconds"], new["rows_accepted"]) == (48.4, 1_234_567)
    assert new["warnings"] == "unknown_names"
    assert (new["tests_run"], new["tests_warned"]) == (123, 1)
    assert {old[name] for name in ("began_at", "seconds", "rows_accepted", "tests_run")} == {None}
    lines = _run().output.splitlines()
    assert lines[2].split()[-5:] == ["48", "s", "1,234,567", "123", "1"]
    assert lines[3].split()[-1].startswith("12:"), "blank where nothing is known"
    assert max(len(line) for line in lines) <= 80


def test_list_does_without_a_history_that_cannot_be_read(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(store: DuckStore) -> list[Run]:
        raise AceError("It is damaged.", "")

    monkeypatch.setattr(DuckStore, "runs", damaged)
    kept = json.loads(_run("list", "--json").output)
    assert [(one["release"], one["seconds"]) for one in kept] == [(2, None), (1, None)]


def test_what_passed_can_be_forgotten_and_releases_stay(two: Path, tmp_path: Path) -> None:
    store = DuckStore(two, two / "warehouse.duckdb", 5)
    store.forget_passed()
    assert store.unreleased() is None
    assert store.current() is not None
    DuckStore(two, tmp_path / "none.duckdb", 5).forget_passed()  # nothing was built yet


def test_rollback_changes_what_readers_get(two: Path) -> None:
    assert "Release 1 is current now (it was 2)" in _run("rollback", "1").output
    kept = json.loads(_run("list", "--json").output)
    assert [(one["release"], one["current"]) for one in kept] == [(2, False), (1, True)]


def test_show_gives_the_manifest(two: Path) -> None:
    shown = json.loads(_run("show", "1", "--json").output)
    assert shown["release"]["release"] == 1
    assert {"schema": "canonical", "table": "products", "rows": 2} in shown["rows"]
    assert shown["tests"] == {"pass": 1}
    assert shown["loads"] == {"loads": 1, "read": 4, "accepted": 3, "rejected": 1}


def test_a_release_that_is_not_kept(two: Path) -> None:
    for arguments in (["show", "9"], ["rollback", "9"]):
        result = _run(*arguments)
        assert "Release 9 is not kept (kept: " in str(result.exception)


def test_nothing_kept_yet(ace_home: Path) -> None:
    assert "There is no release yet" in _run().output
    assert json.loads(_run("list", "--json").output) == []
