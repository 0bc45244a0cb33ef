"""What is longer than a terminal goes through a pager there, and nowhere else."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support import small_warehouse

LINES, COLUMNS = 12, 80
SECONDS = 60
LONG = "select n, 'x' as x from range(500) as t(n)"
SHORT = "select n from range(3) as t(n)"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    small_warehouse.release(home)
    return home


@pytest.fixture
def kept(home: Path, tmp_path: Path) -> tuple[dict[str, str], Path]:
    """The environment with a pager that keeps what it is given, and the file it does that in."""
    kept = tmp_path / "paged"
    pager = tmp_path / "pager"
    pager.write_text(f'#!/bin/sh\necho "LESS=$LESS" > {kept}\ncat >> {kept}\n')
    pager.chmod(0o755)
    return {"ACE_HOME": str(home), "PAGER": str(pager)}, kept


def on_terminal(
    arguments: Sequence[str], settings: Mapping[str, str], keys: bytes = b""
) -> tuple[int, str]:
    """Run ``ace`` on a terminal; ``keys`` are typed when the first screen has been shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    unset = {"LESS", "PAGER", "LINES", "COLUMNS", "ACE_TARGET"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    running = subprocess.Popen(
        [sys.executable, "-c", "from warehouse.cli import main; main()", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**environment, "TERM": "xterm", **settings},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    more = os.read(ours, 65536)
                except OSError:  # the other end is closed
                    break
                if not more:
                    break
                said += more
            if keys and said.count(b"\n") >= LINES - 1:
                os.write(ours, keys)
                keys = b""
        return running.wait(max(0.1, until - time.monotonic())), said.decode()
    finally:
        running.kill()
        running.wait()
        os.close(ours)


def test_what_is_longer_than_the_screen_is_paged(kept: tuple[dict[str, str], Path]) -> None:
    settings, file = kept
    code, shown = on_terminal(["sql", LONG], settings)
    assert code == 0
    paged = file.read_text().splitlines()
    assert paged[0] == "LESS=-SRFX"
    assert [line.split()[0] for line in paged[3:]] == [str(n) for n in range(500)]
    assert shown.splitlines() == ["500 rows"], "what is noted stays in sight"
    on_terminal(["sql", LONG, "--expanded"], {**settings, "LESS": "-S"})
    assert file.read_text().startswith("LESS=-S\n")
    assert file.read_text().count("row ") == 500


@pytest.mark.parametrize("arguments", [[SHORT], [LONG, "--no-pager"], [LONG, "--json"]])
def test_nothing_else_is_paged(arguments: list[str], kept: tuple[dict[str, str], Path]) -> None:
    settings, file = kept
    code, shown = on_terminal(["sql", *arguments], settings)
    assert code == 0
    assert not file.exists()
    assert shown.count("\n") >= (4 if arguments == [SHORT] else 500)


def test_a_pipe_is_not_paged(kept: tuple[dict[str, str], Path]) -> None:
    settings, file = kept
    ace = [sys.executable, "-c", "from warehouse.cli import main; main()", "sql", LONG]
    done = subprocess.run(
        ace, env={**os.environ, **settings}, capture_output=True, timeout=SECONDS, check=True
    )
    assert done.stdout.count(b"\n") == 502
    assert not file.exists()


def test_a_pager_that_stops_reading_is_no_error(kept: tuple[dict[str, str], Path]) -> None:
    settings, _ = kept
    code, shown = on_terminal(
        ["sql", "select repeat('y', 200) as y from range(1000)"], {**settings, "PAGER": "head -n 1"}
    )
    assert (code, shown.splitlines()[1:]) == (0, ["1,000 rows"])


@pytest.mark.skipif(not shutil.which("less"), reason="without less there is no pager to quit")
def test_quitting_less_is_no_error(home: Path) -> None:
    code, shown = on_terminal(["sql", LONG], {"ACE_HOME": str(home)}, keys=b"q")
    assert code == 0
    assert "499" not in shown
    assert "500 rows" in shown
