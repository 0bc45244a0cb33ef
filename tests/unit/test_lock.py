"""The build lock: one holder, named to the others, gone with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.errors import AceError
from warehouse.build.lock import build_lock, holder

HOLD = """
import sys, time
from pathlib import Path
from warehouse.build.lock import build_lock
with build_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def _other_process(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_free_lock_is_taken_and_names_us(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with build_lock(tmp_path):
        held = holder(tmp_path)
        assert held is not None
        assert held["pid"] == os.getpid()
        assert held["started"].endswith("Z")
    assert holder(tmp_path) is None


def test_second_build_names_the_holder_and_gives_up(tmp_path: Path) -> None:
    process = _other_process(tmp_path)
    try:
        said: list[str] = []
        with (
            pytest.raises(AceError, match=f"process {process.pid} ") as error,
            build_lock(tmp_path, wait=0.3, say=said.append),
        ):
            pass
        assert error.value.exit_code == 1
        assert len(said) == 1
        assert str(process.pid) in said[0]
    finally:
        process.kill()
        process.wait()


def test_a_killed_build_leaves_no_lock(tmp_path: Path) -> None:
    process = _other_process(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with build_lock(tmp_path, wait=0):
        pass


def test_a_process_forked_during_a_build_does_not_keep_its_lock(tmp_path: Path) -> None:
    with build_lock(tmp_path):
        forked = os.fork()
        if not forked:
            time.sleep(600)
            os._exit(0)
    try:
        with build_lock(tmp_path, wait=0):
            pass
    finally:
        os.kill(forked, signal.SIGKILL)
        os.waitpid(forked, 0)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AceError, match="cannot be opened"), build_lock(tmp_path / "file" / "home"):
        pass
