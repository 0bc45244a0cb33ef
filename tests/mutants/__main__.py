"""Makes each change in a copy of the tree and runs the tests that must notice it.

``python -m tests.mutants [WORD...]`` tries the changes whose title, class or tests contain every
word. Exits 1 when a change was noticed by no test or cannot be made any more.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.mutants.changes import CLASSES, Change, changes

#: Lies in the copy: nothing is changed in a folder without it.
MARK = ".mutants"
PYTEST_SECONDS = 600
#: How pytest lists a test that did not pass.
RED = re.compile(r"(FAILED|ERROR) \S+::")

CAUGHT, SURVIVED, STALE = "caught", "survived", "does not apply"

_writes = iter(range(1, 1_000_000))


def copy_of_the_tree(folder: Path) -> None:
    """The files of the project, as they are now, in ``folder``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if Path(name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, folder / name)
    (folder / MARK).touch()


def write(path: Path, text: str) -> None:
    """A time of its own for each writing: Python recognises compiled modules by it."""
    path.write_text(text)
    moment = 1_500_000_000 + next(_writes)
    os.utime(path, (moment, moment))


@contextmanager
def made(several: Iterable[Change]) -> Iterator[None]:
    """The changes, made in the files here while the block runs."""
    before = {change.file: Path(change.file).read_text() for change in several}
    try:
        for change in several:
            changed = change.made_in(before[change.file])
            assert changed is not None, change.title
            write(Path(change.file), changed)
        yield
    finally:
        for file, text in before.items():
            write(Path(file), text)


class Dbt:
    """Runs tests of dbt, by name, over the empty tables of an unchanged project."""

    def __init__(self, home: Path) -> None:
        from loaders.landing import Landing
        from tests.support.builds import Warehouse

        landing = Landing(str(home / "landing"))
        landing.prepare()
        self.warehouse = Warehouse(home, landing)
        self.warehouse.build()

    def failing(self, tests: Iterable[str]) -> set[str]:
        """Those of the tests that fail, are in error or are not there."""
        from dbt.cli.main import dbtRunner

        from warehouse.build.dbt_run import _close_connections, _environment

        wanted = sorted(set(tests))
        common = self.warehouse.common_arguments()
        with _environment(self.warehouse.environment()):
            parsed: Any = dbtRunner().invoke(["parse", *common])
            if not parsed.success:
                return set(wanted)
            done: Any = dbtRunner(manifest=parsed.result).invoke(
                ["test", "--select", *wanted, *common]
            )
            _close_connections("duckdb")
        passed = {
            result.node.name
            for result in getattr(done.result, "results", [])
            if result.status in ("pass", "warn")
        }
        return set(wanted) - passed


def pytest_failing(tests: Iterable[str]) -> set[str]:
    """Those of the tests of pytest that fail, are in error or are not there."""
    wanted = sorted(set(tests))
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *wanted], capture_output=True, text=True, timeout=PYTEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return set(wanted)
    if done.returncode not in (0, 1):
        return set(wanted)
    red = [line.split()[1] for line in done.stdout.splitlines() if RED.match(line)]
    return {
        test
        for test in wanted
        # One test, of several arguments, or a file of them.
        if any(one == test or one.startswith((f"{test}[", f"{test}::")) for one in red)
    }


def side_by_side(wanted: list[Change]) -> list[list[Change]]:
    """The changes in groups whose members cannot disturb each other.

    A unit test sees one model, so a change of each model is tried at a time; macros and modules
    are everywhere, and their changes are tried alone.
    """
    groups: list[list[Change]] = []
    for change in wanted:
        alone = not change.file.startswith("models/")
        for group in groups:
            is_free = all(
                other.file.startswith("models/")
                and other.file != change.file
                and not set(other.tests) & set(change.tests)
                for other in group
            )
            if is_free and not alone:
                group.append(change)
                break
        else:
            groups.append([change])
    return groups


def outcomes(wanted: list[Change]) -> dict[Change, str]:
    """What became of each change, tried in the folder this runs in."""
    found = {
        change: STALE for change in wanted if change.made_in(Path(change.file).read_text()) is None
    }
    for by_dbt in (True, False):
        left = [change for change in wanted if change.is_sql == by_dbt and change not in found]
        if not left:
            continue
        failing = (
            Dbt(Path(tempfile.mkdtemp(dir=Path.cwd().parent))).failing
            if by_dbt
            else (pytest_failing)
        )
        if red := failing(test for change in left for test in change.tests):
            sys.exit(f"Red without any change: {', '.join(sorted(red))}")
        for group in side_by_side(left):
            with made(group):
                red = failing(test for change in group for test in change.tests)
            for change in group:
                found[change] = CAUGHT if red & set(change.tests) else SURVIVED
                say(change, found[change])
    return found


def say(change: Change, outcome: str) -> None:
    print(f"{outcome:15} {change.kind}: {change.title}", flush=True)


def table(found: dict[Change, str]) -> str:
    """How many changes of each class were noticed."""
    counts = Counter((change.kind, outcome) for change, outcome in found.items())
    width = max(map(len, CLASSES))
    lines = [f"{'class':{width}}  changes  {CAUGHT}  {SURVIVED}  {STALE}"]
    for kind in (*CLASSES, None):
        each = [
            sum(n for (k, o), n in counts.items() if kind in (k, None) and outcome in (o, None))
            for outcome in (None, CAUGHT, SURVIVED, STALE)
        ]
        if each[0]:
            numbers = f"{each[0]:7}  {each[1]:6}  {each[2]:8}  {each[3]:14}"
            lines.append(f"{kind or 'all':{width}}  {numbers}")
    return "\n".join(lines)


def try_here(words: list[str]) -> int:
    if not Path(MARK).exists():
        sys.exit("Changes are only made in a copy of the tree: run 'make mutants'.")
    began = time.monotonic()
    wanted = [
        change
        for change in changes()
        if all(word in f"{change.kind} {change.title} {change.tests}" for word in words)
    ]
    if not wanted:
        sys.exit("No change has all these words.")
    found = outcomes(wanted)
    print(f"\n{table(found)}\n\n{time.monotonic() - began:.0f} seconds")
    missed = {change: outcome for change, outcome in found.items() if outcome != CAUGHT}
    for change, outcome in missed.items():
        say(change, outcome)
    return 1 if missed else 0


def main(words: list[str]) -> int:
    if words[:1] == ["--here"]:
        return try_here(words[1:])
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        tree = Path(folder) / "tree"
        copy_of_the_tree(tree)
        # The copy comes before the installed project, in this process and all it starts.
        environment = os.environ | {"PYTHONPATH": str(tree)}
        command = [sys.executable, "-m", "tests.mutants", "--here", *words]
        return subprocess.run(command, cwd=tree, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
