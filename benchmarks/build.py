"""``ace build`` as its users wait for it: whole processes, start-up included."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Line, Ran, Skip, median, run_process

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
    """Starting, nothing to do, and ten new rows, on a small simulated world.

    What every model adds to the start of every build shows in the first and the last line.
    """
    here = environment(folder / "home")

    def ace(*arguments: str) -> Ran:
        return run_process([*ACE, *arguments], here, ROOT)

    names = (
        *("parse of the whole project", "build with nothing to do"),
        *("build with ten new rows", "processor of a build with ten new rows"),
    )
    try:
        parses = _parses(folder, here)
        whole, bare = (median([ran.processor for ran in parses[n]]) for n in ("whole", "bare"))
        yield Line(
            names[0], whole, bare, ratio=whole / bare, limit=4.0,
            runs={name: [ran.processor for ran in ran_] for name, ran_ in parses.items()},
            note="processor seconds, nothing kept (peer: dbt parse of a project without models); "
            f"{median([ran.seconds for ran in parses['whole']]):.1f} s on the clock",
        )  # fmt: skip
        ace("load", "demo", "--posts", str(posts))
        first = ace("build").seconds
        idle = [ace("build") for _ in range(3)]
        took = [ran.seconds for ran in idle]
        yield Line(
            names[1], median(took), ratio=median(took), limit=3.0, runs={"ours": took},
            note=f"seconds, {median([ran.processor for ran in idle]):.1f} of a processor; "
            f"the first, full build took {first:.1f} s",
        )  # fmt: skip
    except Skip as why:
        yield from (Line(name, skipped=str(why)) for name in names)
        return
    try:
        few: list[Ran] = []
        for turn in range(3):
            ace("load", "files", str(_ten_rows(folder, turn)), "--table", "performance_metrics")
            few.append(ace("build"))
        took = [ran.seconds for ran in few]
        start = median([ran.seconds for ran in parses["again"]])
        yield Line(
            names[2], median(took), start, ratio=median(took) - start, limit=15.0,
            runs={"ours": took},
            note="seconds beyond start-up (peer: dbt parse in a process of its own)",
        )  # fmt: skip
        used = [ran.processor for ran in few]
        start = median([ran.processor for ran in parses["again"]])
        yield Line(
            names[3], median(used), start, ratio=median(used) / start, limit=8.0,
            runs={"ours": used},
            note="processor seconds, most of them for each model once (peer: as above)",
        )  # fmt: skip
    except Skip as why:
        yield from (Line(name, skipped=str(why)) for name in names[2:])


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


def _parses(folder: Path, here: dict[str, str]) -> dict[str, list[Ran]]:
    """Three times each: the project read anew, as it is kept from then on, and one without models.

    No build can avoid the second: dbt has imported and knows the project.
    """
    empty = folder / "empty"
    empty.mkdir(parents=True)
    (empty / "dbt_project.yml").write_text("name: bare\nprofile: ace_warehouse\n")
    here = here | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}

    def parse(name: str, project: Path, *options: str) -> Ran:
        command = [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "parse", *options),
            *("--project-dir", str(project), "--profiles-dir", str(ROOT / "profiles")),
            *("--target-path", str(folder / name), "--log-path", str(folder / name)),
        ]
        return run_process(command, here, ROOT)

    found: dict[str, list[Ran]] = {"whole": [], "again": [], "bare": []}
    for _ in range(3):
        found["whole"].append(parse("parse", ROOT, "--no-partial-parse"))
        found["again"].append(parse("parse", ROOT))
        found["bare"].append(parse("bare", empty, "--no-partial-parse"))
    return found


def _ten_rows(folder: Path, turn: int) -> Path:
    """Polls of posts nobody knows yet: they are held back, like real early ones."""
    path = folder / f"few{turn}.csv"
    rows = [f"new-{turn}-{n},tiktok,{n * 100},2026-01-01T00:00:00Z" for n in range(10)]
    path.write_text("\n".join(["external_post_id,platform,views,collected_at", *rows]) + "\n")
    return path
