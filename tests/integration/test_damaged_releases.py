"""Whatever happened to release files: rolling back and the next build work, readers are told."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from repositories.connection import open_release
from repositories.release_files import UnreadableError, current_release, open_file
from tests.support import small_warehouse
from warehouse.build import live as building
from warehouse.cli import app
from warehouse.release.duckdb import DuckStore

Damage = Callable[[Path], object]


def _overwrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(change(content))


def _instead(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _database(path: Path, sql: str) -> None:
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table a (b)")


def _edited(path: Path, sql: str) -> None:
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


#: What can stand in the place of the newest release file.
DAMAGES: dict[str, Damage] = {
    "empty": lambda path: _overwrite(path, lambda _: b""),
    "one byte": lambda path: _overwrite(path, lambda b: b[:1]),
    "cut in its header": lambda path: _overwrite(path, lambda b: b[:6000]),
    "cut in half": lambda path: _overwrite(path, lambda b: b[: len(b) // 2]),
    "end missing": lambda path: _overwrite(path, lambda b: b[:-4096]),
    "text": lambda path: _overwrite(path, lambda _: b"no database\n" * 9),
    "noise": lambda path: _overwrite(path, lambda b: os.urandom(len(b))),
    "header noise": lambda path: _overwrite(path, lambda b: b[:4096] + bytes(8192) + b[12288:]),
    "blocks noise": lambda path: _overwrite(path, lambda b: b[:12288] + bytes(len(b) - 12288)),
    "missing": lambda path: path.unlink(),
    "folder": lambda path: _instead(path, Path.mkdir),
    "pipe": lambda path: _instead(path, os.mkfifo),
    "link to itself": lambda path: _instead(path, lambda p: p.symlink_to(p.name)),
    "link to nothing": lambda path: _instead(path, lambda p: p.symlink_to("nothing")),
    "another release": lambda path: _overwrite(
        path, lambda _: (path.parent / "1.duckdb").read_bytes()
    ),
    "another database": lambda path: _instead(
        path, lambda p: _database(p, "create table a (b int)")
    ),
    "SQLite": lambda path: _instead(path, _sqlite),
    "no manifest row": lambda path: _edited(path, "delete from meta.release"),
    "no manifest": lambda path: _edited(path, "drop table meta.release"),
    "other columns": lambda path: _edited(path, "alter table meta.release drop column as_of"),
    "no meta": lambda path: _edited(path, "drop schema meta cascade"),
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with releases 1 and 2, and a build that is not released yet."""
    home = tmp_path_factory.mktemp("released")
    store = DuckStore(home, home / "warehouse.duckdb", 5)
    for build in (1, 2, 3):
        small_warehouse.make(home / "warehouse.duckdb", build, loads=(), build=build)
        store.record_passed(small_warehouse.passed(build, f"{build}"))
        if build < 3:
            store.publish()
    return home


@pytest.fixture
def home(released: Path, ace_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(released, ace_home, symlinks=True, dirs_exist_ok=True)
    # What is in the build file was built by "this" project.
    monkeypatch.setattr(building, "project_fingerprint", lambda *_: "3")
    monkeypatch.setattr(building, "_run", _worked)
    return ace_home


def _worked(*_: object, **__: object) -> None:
    raise AssertionError("The build did its work again, or first.")


def _ace(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def _current() -> tuple[int, int]:
    """The release that readers get, and its products: as many as the build's number."""
    with open_release(Path(os.environ["ACE_HOME"])) as reader:
        (number,) = reader.query("select release from meta.release").rows[0]
        (products,) = reader.query("select count(*) from canonical.products").rows[0]
    return number, products


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_way_out_of_a_damaged_newest_release(home: Path, damage: str) -> None:
    path = home / "releases" / "2.duckdb"
    DAMAGES[damage](path)
    # Readers are told which file, and what to do.
    for command in (["status"], ["report"], ["sql", "select 1"], ["quarantine"]):
        said = str(_ace(*command).exception)
        assert str(path) in said, command
        assert "ace releases rollback 1" in said, command
        assert "\n" not in said
    with pytest.raises(UnreadableError):
        open_release(home)
    if damage != "missing":
        assert str(path) in str(_ace("releases", "show", "2").exception)
        assert str(path) in str(_ace("releases", "rollback", "2").exception)
    assert current_release(home) == 2
    # What can be read is listed, and what cannot.
    listed = _ace("releases", "list", "--json")
    assert [one["release"] for one in json.loads(listed.stdout)] == [1]
    assert "ace releases rollback 1" in listed.stderr
    assert (str(path) in listed.stderr) == (damage != "missing")
    assert _ace("releases", "show", "1").exit_code == 0
    # Back, and on: the number of a damaged one is not free.
    assert "Release 1 is current now" in _ace("releases", "rollback", "1").output
    assert _current() == (1, 1)
    built = _ace("build")
    number = 2 if damage == "missing" else 3
    assert f"Release {number} is current" in built.output, built.exception
    assert _current() == (number, 3)


def test_a_build_needs_no_rollback_before_it(home: Path) -> None:
    DAMAGES["cut in half"](home / "releases" / "2.duckdb")
    assert "Release 3 is current" in _ace("build").output
    assert _current() == (3, 3)
    # Nothing new, and the current release damaged again: what was built is released anew.
    DAMAGES["cut in half"](home / "releases" / "3.duckdb")
    assert "Release 4 is current" in _ace("build").output
    assert _ace("releases").stderr.count("cannot be read:") == 2


def test_damage_deep_in_the_current_release(home: Path) -> None:
    path = home / "releases" / "2.duckdb"
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table canonical.big as select md5(i::text) as a from range(99999) as r(i)"
        )
        connection.execute("checkpoint")
        [(block, size)] = connection.execute(
            "select max(block_id), (select block_size from pragma_database_size())"
            " from pragma_storage_info('canonical.big')"
        ).fetchall()
    # Blocks follow three headers of 4 kB.
    begin = 3 * 4096 + block * size + size // 4
    _overwrite(path, lambda b: b[:begin] + bytes(65536) + b[begin + 65536 :])
    result = _ace("sql", "select max(a), min(a) from canonical.big")
    assert f"{path} is damaged" in str(result.exception)
    assert "ace releases rollback 1" in str(result.exception)


@pytest.mark.parametrize(
    "stray",
    ["77.duckdb", "77.duckdb/", "077.duckdb", "²7.duckdb", "\u0667.duckdb", ".tmp-3-1.duckdb",
     "99999999999999999999999.duckdb", "9223372036854775807.duckdb", "-1.duckdb", "x.duckdb",
     ".tmp-3-1.duckdb/", "3.duckdb.wal", "2.duckdb.wal"],
)  # fmt: skip
def test_strays_are_in_nobodys_way(home: Path, stray: str) -> None:
    place = home / "releases" / stray.rstrip("/")
    place.mkdir() if stray.endswith("/") else place.touch()
    assert _ace("status").exit_code == 0
    listed = _ace("releases", "list", "--json")
    assert [one["release"] for one in json.loads(listed.stdout)] == [2, 1]
    taken = stray.startswith("77.")
    assert ("Release 77 cannot be read" in listed.stderr) == taken
    assert ("Readers are not concerned" in listed.stderr) == taken
    assert f"Release {78 if taken else 3} is current" in _ace("build").output
    assert _ace("releases", "rollback", "1").exit_code == 0


@pytest.mark.parametrize("link", ["missing", "nothing", "itself", "a copy", "elsewhere"])
def test_a_damaged_link_to_the_current_release(home: Path, link: str) -> None:
    path = home / "current.duckdb"
    path.unlink()
    if link == "a copy":
        shutil.copy(home / "releases" / "2.duckdb", path)
    elif link != "missing":
        target = {"nothing": "releases/9.duckdb", "itself": "current.duckdb", "elsewhere": "/etc"}
        path.symlink_to(target[link])
    for command in (["status"], ["sql", "select 1"]):
        said = str(_ace(*command).exception)
        assert "ace releases rollback 2" in said, command
    listed = _ace("releases", "list", "--json")
    assert [one["current"] for one in json.loads(listed.stdout)] == [False, False]
    assert "current.duckdb" in listed.stderr
    number = 10 if link == "nothing" else 3
    assert f"Release {number} is current" in _ace("build").output
    assert "Release 2 is current now" in _ace("releases", "rollback", "2").output
    assert _current() == (2, 2)


def test_damaged_releases_do_not_push_good_ones_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_KEEP_RELEASES", "2")
    DAMAGES["empty"](home / "releases" / "2.duckdb")
    (home / "releases" / "5.duckdb").touch()
    assert "Release 6 is current" in _ace("build").output
    assert [one["release"] for one in json.loads(_ace("releases", "list", "--json").stdout)] == [
        6,
        1,
    ]


@pytest.mark.parametrize("what", ["releases is a file", "current is a folder"])
def test_a_place_that_cannot_be_written_is_noticed_before_the_work(home: Path, what: str) -> None:
    if what == "releases is a file":
        shutil.rmtree(home / "releases")
        (home / "releases").touch()
    else:
        (home / "current.duckdb").unlink()
        (home / "current.duckdb").mkdir()

    said = str(_ace("build", "--force").exception)
    assert str(home / what.split()[0]) in said
    assert "again" in said or "ACE_HOME" in said


def test_a_release_that_another_program_writes(home: Path) -> None:
    path = home / "releases" / "2.duckdb"
    path.chmod(0o644)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert f"is held open by process {other.pid}" in str(_ace("status").exception)
        assert "Release 3 is current" in _ace("build").output
        other.kill()


def test_free_blocks_at_the_end_need_not_be_there(tmp_path: Path) -> None:
    """A large build leaves such a file; it was taken for damaged, and nothing was released."""
    path = tmp_path / "free.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table kept as select 1 as a")
        connection.execute(
            "create table gone as select md5(cast(n as text)) from range(99999) as r (n)"
        )
        connection.execute("checkpoint")
        connection.execute("drop table gone")
    with open_file(path) as connection:
        counted = connection.execute("select total_blocks * block_size from pragma_database_size()")
        assert counted.fetchall()[0][0] > path.stat().st_size
        assert connection.execute("from kept").fetchall() == [(1,)]
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(UnreadableError):
        open_file(path)
