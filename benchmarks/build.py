"""``ace build`` as its users wait for it: whole processes, start-up included."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Line, Skip, median, run_process

ROOT = Path(__file__).resolve().parent.parent
ACE = [sys.executable, "-c", "from warehouse.cli import main; main()"]
#: Polls of a post in the simulated world, at most.
POLLS = 19
GIBIBYTE = 1 << 30


def environment(home: Path) -> dict[str, str]:
    """Of a command whose ``ACE_HOME`` is ``home``, without the caller's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACE_")}
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))
    return kept | {"ACE_HOME": str(home), "PYTHONPATH": path}


def lines(folder: Path, posts: int = 500) -> Iterator[Line]:
    """Nothing to do, and a handful of new rows, on a small simulated world."""
    here = environment(folder / "home")

    def ace(*arguments: str) -> float:
        return run_process([*ACE, *arguments], here, ROOT).seconds

    names = ("build with nothing to do", "build with a handful of new rows")
    try:
        ace("load", "demo", "--posts", str(posts))
        first = ace("build")
        idle = [ace("build") for _ in range(3)]
        yield Line(
            names[0], median(idle), ratio=median(idle), limit=3.0, runs={"ours": idle},
            note=f"seconds; the first, full build took {first:.1f} s",
        )  # fmt: skip
    except Skip as why:
        yield from (Line(name, skipped=str(why)) for name in names)
        return
    try:
        startup = _startup(folder, here)
        few: list[float] = []
        for turn in range(3):
            ace("load", "files", str(_few_rows(folder, turn)), "--table", "performance_metrics")
            few.append(ace("build"))
        took = median(few) - startup
        yield Line(
            names[1], median(few), startup, ratio=took, limit=15.0, runs={"ours": few},
            note="seconds beyond start-up (peer: dbt parse in a process of its own)",
        )  # fmt: skip
    except Skip as why:
        yield Line(names[1], skipped=str(why))


def large(folder: Path, polls: int = 10_000_000) -> Iterator[Line]:
    """A full build of ten million polls: the largest memory of the process."""
    name = f"memory of a full build of {polls:,} polls"
    here = environment(folder / "home")
    posts = str(polls // POLLS + 1)
    try:
        run_process([*ACE, "load", "demo", "--posts", posts, "--days", "90"], here, ROOT)
        ran = run_process([*ACE, "build", "--full-refresh"], here, ROOT)
    except Skip as why:
        yield Line(name, skipped=str(why))
        return
    peak = ran.peak / GIBIBYTE
    yield Line(name, peak, unit="GiB", ratio=peak, limit=8.0, note=f"GiB; took {ran.seconds:.0f} s")


def _startup(folder: Path, here: dict[str, str]) -> float:
    """Seconds until dbt has imported and parsed the project, which no build can avoid."""
    command = [
        sys.executable, "-c", "from dbt.cli.main import cli; cli()", "parse",
        "--profiles-dir", "profiles", "--target-path", str(folder / "parse"),
        "--log-path", str(folder / "parse"),
    ]  # fmt: skip
    here = here | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    return median([run_process(command, here, ROOT).seconds for _ in range(3)])


def _few_rows(folder: Path, turn: int) -> Path:
    """Five polls of posts nobody knows yet: they are held back, like real early ones."""
    path = folder / f"few{turn}.csv"
    rows = [f"new-{turn}-{n},tiktok,{n * 100},2026-01-01T00:00:00Z" for n in range(5)]
    path.write_text("\n".join(["external_post_id,platform,views,collected_at", *rows]) + "\n")
    return path
