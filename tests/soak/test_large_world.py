"""A large simulated world builds and is released: no rule, limit or type gives way to size.

Ties, p values next to nothing and sums of many digits occur only here. `make soak` runs it,
for as many posts as SOAK_POSTS says; the figures it prints are for DECISIONS.md and README.md.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from warehouse.settings import PROJECT_ROOT

POSTS = int(os.environ.get("SOAK_POSTS", "300000"))
ACE = (sys.executable, "-c", "from warehouse.cli import main; main()")


class Spill:
    """The most that DuckDB's temporary folder held at once while something ran."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self.most = 0

    def __enter__(self) -> Spill:
        self._watch.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._done.wait(0.5):
            held = 0
            for file in self._folder.glob("*"):
                try:
                    held += file.stat().st_blocks * 512
                except FileNotFoundError:
                    continue
            self.most = max(self.most, held)


def ace(home: Path, *arguments: str) -> str:
    """Run one command to its end; what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACE_")}
    limits = {name: os.environ[name] for name in ("ACE_MEMORY_LIMIT",) if name in os.environ}
    done = subprocess.run(
        [*ACE, *arguments],
        cwd=PROJECT_ROOT,
        env={**kept, **limits, "ACE_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("soak")
    ace(folder, "load", "demo", "--posts", str(POSTS), "--days", "60")
    return folder


def test_every_rule_passes_and_the_world_is_released(home: Path) -> None:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with Spill(home / "warehouse.duckdb.tmp") as spill:
        said = ace(home, "build")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"\n{POSTS:,} posts built in {time.monotonic() - begun:,.0f} s ({processor:,.0f} s of "
        f"processors); at most {after.ru_maxrss * 1024 / 1e9:.1f} GB of memory "
        f"and {spill.most / 1e9:.1f} GB of temporary files"
    )
    assert "Release 1 is current" in said
    with duckdb.connect(str(home / "current.duckdb"), read_only=True) as release:
        [(posts, polls)] = release.execute(
            "select (select count(*) from marts.post_performance),"
            " (select count(*) from marts.post_metric_history)"
        ).fetchall()
    assert posts > 0.9 * POSTS
    assert polls > 10 * POSTS


def test_nothing_is_left_to_do(home: Path) -> None:
    assert "nothing to build" in ace(home, "build")
