"""``ace build --as-of --output``: the past in a file, and nothing else touched."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from common.errors import UsageError
from loaders.demo import load_demo
from loaders.landing import Landing
from tests.support.builds import differences, plain
from tests.support.documented import shell_commands
from tests.support.parsed import lend
from warehouse.build import parse_time
from warehouse.build.parsed import Kept
from warehouse.cli import main

#: Between the second and the third of the simulated month's five loads.
AS_OF = "2026-10-12T02:00:00+02:00"


def ace(*arguments: object) -> int:
    """The exit code of a command run in this process."""
    try:
        main([str(one) for one in arguments])
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every public table of a release file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('canonical', 'marts', 'quarantine')"
        ).fetchall()
        return {
            name: sorted(
                (tuple(map(plain, row)) for row in connection.sql(f"from {name}").fetchall()),
                key=repr,
            )
            for (name,) in names
        }


def test_the_past_is_a_file_of_its_own(
    ace_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time as docs/analysts.md says it."""
    build, ask = shell_commands("docs/analysts.md", "The past")
    monkeypatch.chdir(tmp_path)
    landing = Landing(str(ace_home / "landing"))
    landing.prepare()
    world = {"posts": 60, "days": 24, "real": False}
    load_demo(landing, batches=[0, 1], **world)  # type: ignore[arg-type]
    lend(ace_home)
    # What live builds left parsed serves for the past, too.
    monkeypatch.setattr(Kept, "write", None)
    first, second = tmp_path / "first.duckdb", tmp_path / build[-1]
    (tmp_path / ".tmp-first-999999999").mkdir()
    assert ace("build", "--as-of", AS_OF, "--output", first) == 0
    load_demo(landing, **world)  # type: ignore[arg-type]
    assert ace(*build[1:]) == ace(*ask[1:]) == 0
    assert differences(rows(first), rows(second)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "first.duckdb",
        "home",
        "mid-october.duckdb",
    ]
    assert not (ace_home / "warehouse.duckdb").exists()
    assert not (ace_home / "current.duckdb").exists()
    with duckdb.connect(str(second), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        release, as_of = connection.sql("select release, as_of from meta.release").fetchall()[0]
        loads = connection.sql("select max(load_id), count(*) from meta.loads").fetchall()[0]
        posts = connection.sql(
            "select count(*), count(views), max(known_at) from marts.post_performance"
        ).fetchall()[0]
    assert release is None
    assert as_of == datetime(2026, 10, 12, tzinfo=UTC)
    assert 0 < loads[1] < len(landing.loads())
    assert posts[0] >= posts[1] > 5
    assert posts[2] <= as_of

    # A file that something else made is left alone.
    assert ace("sql", "--release", first, "select 1 as one") == 0
    other = tmp_path / "mine.duckdb"
    other.write_text("mine")
    assert ace("build", "--as-of", AS_OF, "--output", other) == 2
    assert other.read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-15", datetime(2026, 10, 15, tzinfo=UTC)),
        ("2026-10-15T12:30", datetime(2026, 10, 15, 12, 30, tzinfo=UTC)),
        ("2026-10-15T12:30:00Z", datetime(2026, 10, 15, 12, 30, tzinfo=UTC)),
        ("2026-10-15T12:30:00.5+02:00", datetime(2026, 10, 15, 10, 30, 0, 500000, tzinfo=UTC)),
    ],
)
def test_times_are_iso_8601_and_utc(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize("text", ["yesterday", "", "15.10.2026", "2099-01-01"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--as-of", "2026-10-15"],
        ["--output", "x.duckdb"],
        ["--as-of", "2026-10-15", "--output", "x.duckdb", "--select", "products"],
        ["--as-of", "2026-10-15", "--output", "x.duckdb", "--target", "postgres"],
        ["--as-of", "2026-10-15", "--output", f"no{os.sep}such{os.sep}x.duckdb"],
    ],
)
def test_what_does_not_go_together_is_refused(ace_home: Path, arguments: list[str]) -> None:
    assert ace("build", *arguments) == 2
