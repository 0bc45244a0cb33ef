"""Ten minutes of reads while builds and releases come one after another: none fails or waits."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from benchmarks.build import ACE, environment
from benchmarks.increments import new_polls
from benchmarks.measure import run_process
from tests.conftest import PgServer
from tests.support.reading import reading
from warehouse.settings import PROJECT_ROOT

POSTS = int(os.environ.get("SOAK_READ_POSTS", "20000"))
SECONDS = float(os.environ.get("SOAK_READ_SECONDS", "600"))
#: What a read beside a build may take on a machine whose processors are all busy (seconds).
PATIENCE = 5.0


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_no_read_fails_or_waits_while_releases_change(
    engine: str, tmp_path: Path, pg_server: PgServer
) -> None:
    url = pg_server.create_database("reads")
    known = environment(tmp_path) | {"ACE_TARGET": engine, "ACE_POSTGRES_URL": url}

    def ace(*arguments: str) -> str:
        return run_process([*ACE, *arguments], known, PROJECT_ROOT).said

    try:
        ace("load", "demo", "--posts", str(POSTS), "--days", "30")
        ace("build")
        ended, releases = time.monotonic() + SECONDS, 1
        with reading(known) as seen:
            while time.monotonic() < ended:
                file = tmp_path / f"new{releases}.csv"
                new_polls(tmp_path / "landing", 0.001, releases, file)
                ace("load", "files", str(file), "--table", "performance_metrics")
                ace("build")
                releases += 1
        print(
            f"\n{engine}, {POSTS:,} posts: {seen.reads:,} reads beside {releases - 1} releases, "
            f"the slowest {seen.slowest:.2f} s"
        )
        assert seen.failures == []
        assert len(seen.releases) >= 2
        assert seen.slowest < PATIENCE
    finally:
        pg_server.drop_database(url)
