"""README and docs do what they say: every command in them is run, and prints what they show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.settings import PROJECT_ROOT
from tests.support.documented import RUN, blocks, documents, same_output

DOCUMENTS = [str(path.relative_to(PROJECT_ROOT)) for path in documents()]
RUNNABLE = [
    name for name in DOCUMENTS if any(one.language in RUN and not one.how for one in blocks(name))
]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What looks like an installed clone, with the release that README's ``make run`` makes."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "Makefile").symlink_to(PROJECT_ROOT / "Makefile")
    done = shell(folder, "make run")
    assert done.returncode == 0, done.stderr
    return folder


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACE_", "PG", "MAKE"))}
    kept.pop("COLUMNS", None)
    # Everything is installed: make has nothing to fetch.
    kept |= {"MAKEFLAGS": "INSTALL=:", "PYTHONPATH": str(PROJECT_ROOT)}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=kept, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("document", RUNNABLE)
def test_its_commands_work_and_print_what_it_shows(document: str, clone: Path) -> None:
    wrong: list[str] = []
    for block in blocks(document):
        if block.language not in RUN or block.how:
            continue
        if block.language == "python":
            (clone / "example.py").write_text(block.text)
            done = shell(clone, ".venv/bin/python example.py")
            if done.returncode:
                wrong.append(f"{block.where}: {done.stderr}")
            continue
        for command in block.commands():
            done = shell(clone, command.text)
            where = f"{document}:{command.line}: {command.text}"
            if done.returncode or "Traceback" in done.stderr:
                wrong.append(f"{where}\nended with {done.returncode}:\n{done.stderr}")
            elif command.prints is not None and not same_output(command.prints, done.stdout):
                wrong.append(f"{where}\nprinted\n{done.stdout}")
    assert not wrong, "\n\n".join(wrong)
