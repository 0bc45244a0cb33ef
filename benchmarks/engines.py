"""The same simulated world built on DuckDB and on a Postgres that is started for it.

Processor seconds, the server's and ours: two engines and whatever else the machine does
share its cores.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.build import ACE, ROOT, environment
from benchmarks.measure import Line, Skip, run_process
from benchmarks.postgres import server

#: Posts and days of a world, and how many times as long Postgres may take for it.
WORLDS = ((100, 10, 3.0), (20_000, 60, 5.0))


def lines(folder: Path) -> Iterator[Line]:
    """One line for each world: a full build with all tests and the release."""
    for posts, days, limit in WORLDS:
        name = f"build {posts:,} posts on Postgres vs DuckDB"
        try:
            yield _compare(name, folder / str(posts), posts, days, limit)
        except (Skip, ImportError) as why:
            yield Line(name, skipped=str(why))


def _compare(name: str, folder: Path, posts: int, days: int, limit: float) -> Line:
    here = environment(folder / "duckdb")
    landing = {"ACE_LANDING": str(folder / "landing")}
    world = ["load", "demo", "--posts", str(posts), "--days", str(days)]
    run_process([*ACE, *world], here | landing, ROOT)
    duckdb = run_process([*ACE, "build"], here | landing, ROOT)
    data = Path(tempfile.mkdtemp(prefix="acepg"))  # short: sockets have short paths
    try:
        with server(data) as uri:
            target = {"ACE_TARGET": "postgres", "ACE_POSTGRES_URL": uri}
            there = environment(folder / "postgres") | landing | target
            before = server_seconds(data)
            client = run_process([*ACE, "build"], there, ROOT)
            # Sessions that ended are added to the server's own figure a moment later.
            ours = client.processor + server_seconds(data) - before
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return Line(
        name, ours, duckdb.processor, ratio=ours / duckdb.processor, limit=limit,
        note=f"processor seconds, one run each; {client.seconds:.0f} s and "
        f"{duckdb.seconds:.0f} s on the clock",
    )  # fmt: skip


def server_seconds(data: Path) -> float:
    """Processor seconds of a server and of all its sessions that ended."""
    import os

    pid = (data / "postmaster.pid").read_text().splitlines()[0]
    try:
        # After the name in brackets: field 3 of proc(5) comes first; 14 to 17 are times.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        raise Skip("this system does not say what another process used (/proc)") from None
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
