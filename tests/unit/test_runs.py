"""The history of builds: what each left behind, also those that nobody saw ending."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from common.errors import AceError
from tests.support import small_warehouse
from warehouse.build.recorded import Recorded
from warehouse.release.duckdb import DuckStore
from warehouse.release.runs import COLUMNS, KEPT, Run, of_release, with_run

BEGAN = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> DuckStore:
    return DuckStore(tmp_path, tmp_path / "warehouse.duckdb", 5)


def _released(store: DuckStore) -> list[tuple[object, ...]]:
    with duckdb.connect(str(store.home / "current.duckdb"), read_only=True) as release:
        return release.execute(
            "select outcome, release, problem from meta.runs order by began_at"
        ).fetchall()


def test_every_end_of_a_build_is_told(store: DuckStore) -> None:
    Recorded(store).__enter__()  # its process was killed
    with pytest.raises(AceError), Recorded(store):
        raise AceError("Nothing fits.", "Free some space.")
    with pytest.raises(KeyboardInterrupt), Recorded(store):
        raise KeyboardInterrupt
    with pytest.raises(ZeroDivisionError), Recorded(store):
        raise ZeroDivisionError
    small_warehouse.make(store.warehouse)
    store.record_passed(small_warehouse.passed())
    with Recorded(store) as record:
        record.passed(store.unreleased())
        record.released(store.publish().release)
    ends = [
        ("killed", None, None),
        ("failed", None, "Nothing fits."),
        ("stopped", None, None),
        ("failed", None, "ZeroDivisionError"),
        ("released", 1, None),
    ]
    assert _released(store) == ends
    last = store.runs()[-1]
    assert (last.rows_landed, last.rows_accepted) == (4, 2)
    assert last.ended_at is not None
    assert last.as_of == datetime(2026, 11, 20, 12, tzinfo=UTC)

    # Without its file the history goes on from the release.
    (store.home / "runs.jsonl").unlink()
    with Recorded(store):
        pass
    assert [(one.outcome, one.release, one.problem) for one in store.runs()] == [
        *ends, ("passed", None, None),
    ]  # fmt: skip


def test_a_garbled_line_costs_that_line(store: DuckStore) -> None:
    with Recorded(store):
        pass
    file = store.home / "runs.jsonl"
    file.write_text('{"run_id": "x"}\nnonsense\n[1]\n' + file.read_text() + '{"began')
    assert [one.outcome for one in store.runs()] == ["passed"]


def test_what_cannot_be_written_keeps_nothing_from_working(store: DuckStore) -> None:
    (store.home / "runs.tmp").mkdir()
    with Recorded(store) as record:
        record.add(new_rows=3)
    assert record.run.outcome == "passed"


def test_the_history_is_bounded_and_the_running_build_is_not_told() -> None:
    runs: list[Run] = []
    for number in range(KEPT + 5):
        runs = with_run(runs, Run(f"r{number}", BEGAN + timedelta(minutes=number)))
    assert len(runs) == KEPT
    assert runs[0].run_id == "r5"
    ended = [*runs[:-1], replace(runs[-1], outcome="passed")]
    assert [(one.outcome, one.release) for one in of_release(ended, 7)] == [("released", 7)]


def test_a_failed_build_does_not_become_the_release() -> None:
    runs = [Run("a", BEGAN, outcome="passed"), Run("b", BEGAN, outcome="failed")]
    assert of_release(runs, 7) == runs


def test_every_column_is_a_field_of_a_run() -> None:
    assert list(COLUMNS) == list(Run.__dataclass_fields__)
