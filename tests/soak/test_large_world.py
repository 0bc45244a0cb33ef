"""A large simulated world builds, grows and is released: no rule, limit or type gives way to size.

Ties, p values next to nothing and sums of many digits occur only here. `make soak` runs it,
for as many posts as SOAK_POSTS says; the figures it prints are for DECISIONS.md and
docs/postgres.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from benchmarks.build import ACE, environment
from benchmarks.increments import new_polls
from benchmarks.measure import Spill, run_process
from warehouse.settings import PROJECT_ROOT

POSTS = int(os.environ.get("SOAK_POSTS", "300000"))


def ace(home: Path, *arguments: str) -> str:
    """Run one command to its end and print what it took; what it said."""
    limits = {name: os.environ[name] for name in ("ACE_MEMORY_LIMIT",) if name in os.environ}
    with Spill(home / "warehouse.duckdb.tmp") as spill:
        ran = run_process([*ACE, *arguments], environment(home) | limits, PROJECT_ROOT)
    print(
        f"\nace {arguments[0]}, {POSTS:,} posts: {ran.seconds:,.1f} s ({ran.processor:,.1f} s of "
        f"processors); at most {ran.peak / 1e9:.1f} GB of memory "
        f"and {spill.most / 1e9:.1f} GB of temporary files"
    )
    return ran.said


def counted(home: Path) -> tuple[int, int]:
    """Posts and polls of the current release."""
    with duckdb.connect(str(home / "current.duckdb"), read_only=True) as release:
        [found] = release.execute(
            "select (select count(*) from marts.post_performance),"
            " (select count(*) from marts.post_metric_history)"
        ).fetchall()
    return int(found[0]), int(found[1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("soak")
    ace(folder, "load", "demo", "--posts", str(POSTS), "--days", "60")
    return folder


def test_every_rule_passes_and_the_world_is_released(home: Path) -> None:
    assert "Release 1 is current" in ace(home, "build")
    posts, polls = counted(home)
    assert posts > 0.9 * POSTS
    assert polls > 10 * POSTS


def test_new_polls_are_built_upon_it(home: Path) -> None:
    posts, before = counted(home)
    new = new_polls(home / "landing", 0.0001, 0, home / "new.csv")
    ace(home, "load", "files", str(home / "new.csv"), "--table", "performance_metrics")
    assert "Release 2 is current" in ace(home, "build")
    # Some are of posts that do not count; the time of some posts has come meanwhile.
    now_posts, now_polls = counted(home)
    assert now_posts >= posts
    assert now_polls >= before + new // 2


def test_nothing_is_left_to_do(home: Path) -> None:
    assert "nothing to build" in ace(home, "build")
