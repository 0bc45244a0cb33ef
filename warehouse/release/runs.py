"""The history of builds: a row for each that ended, also those that failed or were killed.

An engine keeps it where its builds are, outside of releases, and each release takes along what
is known when it is made: ``meta.runs``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from repositories.values import plain

#: Builds remembered: three weeks of one every half hour.
KEPT = 1000


@dataclass(frozen=True)
class Run:
    """A build; None is what was not known or did not come to be."""

    run_id: str
    began_at: datetime
    #: None while it runs, and for ever if it was killed.
    ended_at: datetime | None = None
    seconds: float | None = None
    kind: str = "increment"
    #: None while it runs.
    outcome: str | None = None
    release: int | None = None
    as_of: datetime | None = None
    new_loads: int | None = None
    new_rows: int | None = None
    rows_landed: int | None = None
    rows_accepted: int | None = None
    models_run: int | None = None
    tests_run: int | None = None
    tests_warned: int | None = None
    tests_failed: int | None = None
    #: Names of tests in a text, with commas between them.
    warnings: str | None = None
    failures: str | None = None
    problem: str | None = None


#: Columns of meta.runs in order: type on either engine, and description.
COLUMNS: dict[str, tuple[str, str]] = {
    "run_id": ("text", "Identifies the build."),
    "began_at": ("timestamptz", "When it began to work, after waiting for others."),
    "ended_at": (
        "timestamptz",
        "When it ended; of the build that made this release, when it was about to be published. "
        "Null if it was killed: nobody knows when.",
    ),
    "seconds": ("double precision", "How long it took, in seconds; null if it was killed."),
    "kind": (
        "text",
        "'full': every model was run. 'increment': only those that what is new concerns. "
        "'selection': some of the models (--select), never released. "
        "'release': an earlier build was released.",
    ),
    "outcome": (
        "text",
        "'released': it passed and became a release. 'passed': it passed and was not released "
        "(--select, --no-release). 'failed': a model or a test failed, or something else was in "
        "the way. 'stopped': somebody stopped it. 'killed': it never said how it ended.",
    ),
    "release": ("bigint", "Number of the release that it made; null if it made none."),
    "as_of": ("timestamptz", "The as-of time of its rows; null if it did not pass."),
    "new_loads": (
        "bigint",
        "Loads that had landed and were not in the release before it. What a failed build did not "
        "take up is new to the next one, too.",
    ),
    "new_rows": ("bigint", "Rows of these loads."),
    "rows_landed": ("bigint", "All landed rows, by marts.row_ledger; null if it did not pass."),
    "rows_accepted": ("bigint", "Those that count, by marts.row_ledger; null if it did not pass."),
    "models_run": ("bigint", "Models that were run, those that failed included."),
    "tests_run": ("bigint", "Tests that were run; of an increment those that it could break."),
    "tests_warned": (
        "bigint",
        "Tests that warn of what is in the build, those included that were not run again.",
    ),
    "tests_failed": ("bigint", "Tests that found rows they must not find, and stopped it."),
    "warnings": ("text", "Names of the tests that warn, with commas between; null if none does."),
    "failures": ("text", "Names of the models and tests that failed; null if none did."),
    "problem": ("text", "What it said when it failed; null if it did not."),
}
#: As a list of columns for ``create table``.
COLUMN_TYPES = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
NAMES = tuple(COLUMNS)

#: Of the columns, by schema, table and column.
DESCRIPTIONS = {("meta", "runs", name): text for name, (_, text) in COLUMNS.items()}


def row(run: Run) -> list[Any]:
    """Its values in the order of the table's columns."""
    return [getattr(run, name) for name in NAMES]


def with_run(runs: Iterable[Run], run: Run) -> list[Run]:
    """The history with a run in it, added or changed; oldest first, no longer than is kept."""
    others = [one for one in runs if one.run_id != run.run_id]
    return sorted([*others, run], key=lambda one: (one.began_at, one.run_id))[-KEPT:]


def settled(runs: Iterable[Run], but: str) -> list[Run]:
    """Runs that never said how they ended were killed, if no other than ``but`` can be running."""
    return [
        replace(one, outcome="killed") if one.outcome is None and one.run_id != but else one
        for one in runs
    ]


def made(runs: Iterable[Run]) -> dict[int, Run]:
    """The build that made each release, by its number."""
    return {one.release: one for one in runs if one.release is not None}


def of_release(runs: Iterable[Run], number: int) -> list[Run]:
    """What a release says: the builds that ended, and that the last of them made it."""
    told = list(runs)
    if told and told[-1].outcome == "passed":
        told[-1] = replace(told[-1], outcome="released", release=number)
    return [one for one in told if one.outcome is not None]


class Journal:
    """The history in a file, a run in each line. Not to know it keeps nothing from working."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Run] | None:
        """Oldest first, without lines that are garbled; None if there is no such file."""
        try:
            lines = self._file.read_text("utf-8", "replace").splitlines()
        except OSError:
            return None
        return [run for line in lines if (run := _parse(line))]

    def write(self, runs: Iterable[Run]) -> None:
        lines = (json.dumps({k: plain(v) for k, v in asdict(one).items()}) for one in runs)
        temporary = self._file.with_suffix(".tmp")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text("".join(line + "\n" for line in lines), "utf-8")
            temporary.replace(self._file)


def _parse(line: str) -> Run | None:
    known = {one.name for one in fields(Run)}
    try:
        values = {name: value for name, value in json.loads(line).items() if name in known}
        for name in ("began_at", "ended_at", "as_of"):
            if values.get(name) is not None:
                values[name] = datetime.fromisoformat(values[name])
        return Run(**values) if isinstance(values["began_at"], datetime) else None
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
