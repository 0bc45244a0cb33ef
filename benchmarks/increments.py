"""Whether the cost of ``ace build`` follows the new data: full, after few new polls, idle, reads.

One simulated world on each engine, whole commands, processor seconds (of a Postgres, the
server's too). The peer of the full build is `bare.sql`, that of the others the full build.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import reads
from benchmarks.build import ACE, GIBIBYTE, ROOT, environment
from benchmarks.measure import Line, Ran, Skip, Spill, run_process

#: Posts published on so many days.
DAYS = 90
#: The world that Postgres builds has at most so many posts: it takes five times as long.
POSTGRES_POSTS = 50_000
#: New polls, as a share of all there are, and what the build after them may cost of the full
#: one; so much less where four times as many posts are. Fixed costs rule smaller worlds.
SHARES = ((0.0001, 0.10), (0.01, 0.20))
LIMITS_FROM, HALVED_FROM = 200_000, 800_000


@dataclass
class World:
    """A landed world, the engine that builds it, and how processor seconds are read there."""

    home: Path
    here: dict[str, str]
    posts: int
    engine: str = "DuckDB"
    #: Processor seconds that a server used so far, on which the commands rest.
    server: Callable[[], float] = lambda: 0.0
    #: The most memory that a command held, in bytes.
    peak: int = 0

    def ace(self, *arguments: str) -> Ran:
        before = self.server()
        ran = run_process([*ACE, *arguments], self.here, ROOT)
        self.peak = max(self.peak, ran.peak)
        return replace(ran, processor=ran.processor + self.server() - before)

    def after(self, share: float, turn: int) -> tuple[int, Ran]:
        """How many polls landed, and the build after them."""
        file = self.home / f"new{turn}.csv"
        polls = new_polls(self.home / "landing", share, turn, file)
        self.ace("load", "files", str(file), "--table", "performance_metrics")
        return polls, self.ace("build")


def lines(folder: Path, posts: int) -> Iterator[Line]:
    """Both engines, DuckDB first."""
    home = folder / "duckdb"
    yield from _duckdb(World(home, environment(home), posts))
    yield from _postgres(folder / "postgres", min(posts, POSTGRES_POSTS))


def _duckdb(world: World) -> Iterator[Line]:
    try:
        world.ace("load", "demo", "--posts", str(world.posts), "--days", str(DAYS))
        bare = run_process(
            [sys.executable, "-m", "benchmarks.bare", str(world.home / "landing")], world.here, ROOT
        )
        with Spill(world.home / "warehouse.duckdb.tmp") as spill:
            full = world.ace("build")
            yield Line(
                f"full build of {world.posts:,} posts vs bare SQL",
                full.processor, bare.processor, ratio=full.processor / bare.processor,
                limit=15.0 if world.posts >= LIMITS_FROM else None,
                note=f"processor seconds (peer: bare.sql); {full.seconds:.0f} s on the clock",
            )  # fmt: skip
            yield from _increments(world, full)
        peak = world.peak / GIBIBYTE
        yield Line(
            "memory of these builds", peak, unit="GiB", ratio=peak, limit=8.0,
            note="GiB, the most that one of them held",
        )  # fmt: skip
        held = spill.most / GIBIBYTE
        yield Line(
            "temporary files of these builds", held, unit="GiB", ratio=held, limit=0.0,
            note="GiB, the most that DuckDB spilled at once",
        )  # fmt: skip
        yield from _reads(world)
    except Skip as why:
        yield Line(f"builds of {world.posts:,} posts on DuckDB", skipped=str(why))


def _postgres(folder: Path, posts: int) -> Iterator[Line]:
    from benchmarks.engines import server_seconds
    from benchmarks.postgres import server

    data = Path(tempfile.mkdtemp(prefix="acepg"))  # short: sockets have short paths
    try:
        with server(data) as uri:
            target = {"ACE_TARGET": "postgres", "ACE_POSTGRES_URL": uri}
            here = environment(folder) | target
            world = World(folder, here, posts, "Postgres", lambda: server_seconds(data))
            world.ace("load", "demo", "--posts", str(posts), "--days", str(DAYS))
            full = world.ace("build")
            yield Line(
                f"full build of {posts:,} posts on Postgres", full.processor,
                note=f"processor seconds; {full.seconds:.0f} s on the clock",
            )  # fmt: skip
            yield from _increments(world, full)
            yield from _reads(world, uri)
    except Skip as why:
        yield Line(f"builds of {posts:,} posts on Postgres", skipped=str(why))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _increments(world: World, full: Ran) -> Iterator[Line]:
    """What follows the full build."""
    for turn, (share, limit) in enumerate(SHARES):
        polls, ran = world.after(share, turn)
        halved = 2 if world.posts >= HALVED_FROM else 1
        yield Line(
            f"build after {share:.2%} new polls vs full, {world.engine}",
            ran.processor, full.processor, ratio=ran.processor / full.processor,
            limit=limit / halved if world.posts >= LIMITS_FROM else None,
            note=f"processor seconds; {polls:,} polls of recent posts, "
            f"{ran.seconds:.0f} s on the clock",
        )  # fmt: skip
    idle = world.ace("build")
    yield Line(
        f"build with nothing new vs full, {world.engine}",
        idle.processor, full.processor, ratio=idle.processor / full.processor,
        note=f"processor seconds; {idle.seconds:.1f} s on the clock",
    )  # fmt: skip


def _reads(world: World, uri: str | None = None) -> Iterator[Line]:
    """Point reads of the release that is current now."""
    target = "duckdb" if uri is None else "postgres"
    yield from reads.lines(world.home, target=target, postgres_url=uri)


def new_polls(landing: Path, share: float, turn: int, file: Path) -> int:
    """Write polls as an export that anybody could have made; how many there are.

    Each is the next poll of a post, of those that were polled last; ``turn`` tells the polls of
    one file from those of the next.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "create view polls as select * from read_parquet("
            f"'{landing}/demo/performance_metrics/[0-9a-f]*.parquet')"
        )
        connection.execute(
            f"""copy (
                with newest as (
                    select post_id, max(collected_at) as collected_at,
                        max(coalesce(views, view_count)) as views,
                        max(coalesce(likes, like_count)) as likes
                    from polls where post_id is not null group by post_id
                )
                select post_id, cast(views * 1.02 as bigint) + {turn} as views, likes,
                    strftime(collected_at + to_hours({turn + 1}), '%Y-%m-%dT%H:%M:%SZ')
                        as collected_at
                from newest
                where collected_at < (
                    select max(collected_at) from newest where collected_at < now()
                ) - interval 2 day
                order by newest.collected_at desc, post_id
                limit (select cast(ceil({share} * count(*)) as bigint) from polls)
            ) to '{file}' (header)"""
        )
        [(written,)] = connection.execute(
            "select count(*) from read_csv(?)", [str(file)]
        ).fetchall()
    return int(written)
