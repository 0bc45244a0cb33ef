"""What can go wrong outside of our code is one sentence and an exit code, everywhere."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from loaders.landing import Landing
from repositories.connection import open_release
from repositories.duckdb_reader import DuckReader
from tests.support import small_warehouse
from warehouse.build.built_with import BuiltWith
from warehouse.build.lock import build_lock
from warehouse.cli import main
from warehouse.cli._failures import as_sentence
from warehouse.settings import settings

ACE = [sys.executable, "-c", "from warehouse.cli import main; main()"]
#: Every command that reads or writes, as far as it gets without data.
COMMANDS = (
    ("load", "demo", "--posts", "10", "--days", "2", "--no-real"),
    ("load", "files", __file__, "--table", "products"),
    ("check",),
    ("check", "--accept", "no-such-load"),
    ("build",),
    ("build", "--force"),
    ("build", "--as-of", "2026-01-01", "--output", "{home}/past.duckdb"),
    ("run",),
    ("status",),
    ("releases",),
    ("releases", "rollback", "1"),
    ("quarantine",),
    ("quarantine", "retry"),
    ("sql", "select 1"),
    ("report",),
    ("compact",),
)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


def _released(home: Path) -> None:
    small_warehouse.release(home)


@pytest.mark.parametrize(
    "number",
    [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.EIO],
)
@pytest.mark.parametrize("name", ["/somewhere/file.txt", "/somewhere/.tmp-file", None])
def test_every_failure_of_the_system_has_its_sentence(number: int, name: str | None) -> None:
    said = as_sentence(OSError(number, os.strerror(number), name))
    assert said is not None
    assert said.hint
    assert "tmp" not in str(said)
    if name and number != errno.EMFILE:
        assert "/somewhere" in said.message


def test_engines_speak_in_one_line() -> None:
    fatal = duckdb.FatalException('FATAL Error: it is broken\nmore\n{"a": 1} Arguments: ()')
    assert "it is broken." in str(as_sentence(fatal))
    assert "Arguments" not in str(as_sentence(duckdb.FatalException("broken. Arguments: ()")))
    full = duckdb.IOException("IO Error: Could not write file: No space left on device")
    assert "disk is full" in str(as_sentence(full))
    assert as_sentence(MemoryError()) is not None
    assert as_sentence(ZeroDivisionError()) is None


PROBE = """
import ctypes, os, sys
from warehouse.cli import main
home = os.environ["ACE_HOME"]
if os.geteuid() == 0:  # the superuser without its right to pass over permissions
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    for index in range(3):
        sets[index] &= ~0b1110
    assert libc.capset(header, sets) == 0
for command in {commands!r}:
    arguments = [part.format(home=home) for part in command]
    print("::", *arguments, file=sys.stderr, flush=True)
    try:
        main(arguments)
    except SystemExit as done:
        print("=>", done.code, file=sys.stderr, flush=True)
"""


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_home_of_somebody_else_is_a_sentence_for_every_command(tmp_path: Path, mode: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    _released(home)
    landing = Landing(home / "landing")
    landing.prepare()
    is_root = os.geteuid() == 0
    for folder, _, files in os.walk(home, topdown=False):
        for name in (*files, "."):
            if is_root:
                os.chown(os.path.join(folder, name), 65534, 65534)
        os.chmod(folder, mode if is_root else mode - 0o200)
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(commands=COMMANDS)],
        env=os.environ | {"ACE_HOME": str(home), "ACE_TARGET": "duckdb"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    for folder, _, _ in os.walk(home):
        os.chmod(folder, 0o755)
    assert "unexpected" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    said = done.stderr.split("::")[1:]
    assert len(said) == len(COMMANDS), done.stderr
    for part in said:
        code = int(part.rpartition("=>")[2])
        reads = part.split()[0] in ("status", "releases", "quarantine", "sql")
        if code == 0:
            assert reads or part.split()[0] == "compact", part
        else:
            assert part.count("ace: ") == 1, part


def test_a_full_disk_takes_the_lock_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with build_lock(tmp_path), pytest.raises(BlockingIOError):
        _try_lock(tmp_path / "build.lock")


def _try_lock(path: Path) -> None:
    import fcntl

    with path.open("r+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_garbled_note_of_the_project_means_building_anew(tmp_path: Path) -> None:
    (tmp_path / "built_with").write_bytes(b"\xff\xfe\x00garbled")
    assert BuiltWith(tmp_path).is_other("a", released="a")


def test_failures_anywhere_are_sentences(
    ace_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(ace_home / "x"))

    monkeypatch.setattr("warehouse.cli.status.collect", fails)
    code, out, err = run(capsys, "status")
    assert (code, out) == (1, "")
    assert err == (
        f"ace: The disk that holds {ace_home}/x is full. "
        "Free some space and run it again; nothing half-written was kept.\n"
    )


@pytest.mark.parametrize("output", ["--json", "--csv", None])
def test_who_stops_reading_is_not_told_off(ace_home: Path, output: str | None) -> None:
    _released(ace_home)
    query = "select i, repeat('x', 100) as t from range(900000) r(i)"
    if output is None:
        query = "select i, repeat('x', 9000) as t from range(900) r(i)"
    process = subprocess.Popen(
        [*ACE, "sql", query, *([output] if output else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 0
    assert err in ("", "900 rows\n", "The first 1,000 rows; --json and --csv give all of them.\n")


def test_output_that_cannot_be_written_is_a_sentence(ace_home: Path) -> None:
    _released(ace_home)
    for redirect in (">/dev/full", ">&-"):
        done = subprocess.run(
            ["sh", "-c", f'"$0" "$@" {redirect}', *ACE, "sql", "select 1", "--csv"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "unexpected" not in done.stderr
        assert "Exception" not in done.stderr
        assert done.returncode == (1 if "full" in redirect else 0)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches the test also where it runs in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    "query",
    [
        "select i from range(3000000000) r(i) where hash(i) % 1000000007 = 3",
        "select count(*) from range(3000000000) r(i) where hash(i) = 3",
    ],
)
def test_a_query_ends_at_once_when_it_is_stopped(tmp_path: Path, query: str) -> None:
    _released(tmp_path)
    with open_release(tmp_path) as reader:
        stop = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        begun = time.process_time()
        stop.start()
        with pytest.raises(KeyboardInterrupt):
            reader.query(query)
    # Closing waits for the engine: it has not worked on.
    assert time.process_time() - begun < 3


@pytest.mark.usefixtures("interruptible")
def test_a_query_that_is_stopped_before_it_has_begun_does_not_run(tmp_path: Path) -> None:
    _released(tmp_path)
    with open_release(tmp_path) as reader:
        assert isinstance(reader, DuckReader)

        def slow_to_begin() -> None:
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)
            reader._connection.execute(
                "select count(*) from range(3000000000) r(i) where hash(i) = 3"
            )

        begun = time.process_time()
        with pytest.raises(KeyboardInterrupt):
            reader._run(slow_to_begin)
        time.sleep(0.6)
    assert time.process_time() - begun < 3


@pytest.mark.usefixtures("interruptible")
def test_a_command_that_is_stopped_says_so(ace_home: Path) -> None:
    _released(ace_home)
    process = subprocess.Popen(
        [*ACE, "sql", "--csv", "select i from range(100000000000) r(i)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "Stopped. Nothing half-done was kept; run the command again."


@pytest.mark.parametrize("option", [(), ("--force",), ("--full-refresh",)])
def test_a_damaged_build_file_is_told_with_its_remedy(
    ace_home: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    Landing(ace_home / "landing").prepare()
    (ace_home / "warehouse.duckdb").write_bytes(b"damaged" * 1000)
    code, _, err = run(capsys, "build", *option)
    assert code == 1
    assert "move it away: 'ace build' makes it anew" in err


def test_where_duckdb_cannot_write_is_said_first(
    ace_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = ace_home / "why?.duckdb"
    code, _, err = run(capsys, "build", "--as-of", "2026-01-01", "--output", str(output))
    assert (code, "cannot write below a name with '?'" in err) == (2, True)
    for sign in "?\\":
        monkeypatch.setenv("ACE_HOME", str(ace_home / f"wh{sign}y"))
        monkeypatch.setenv("ACE_LANDING", str(ace_home / "landing"))
        settings.cache_clear()
        for arguments in (["build"], ["run"]):
            code, out, err = run(capsys, *arguments)
            assert (code, out) == (2, "")
            assert "cannot write below a name with" in err
