"""Point reads of a large release, on both engines in one run: ``python -m benchmarks reads``.

What an agent looks up by a key, through repositories, as ``benchmarks.reads`` times it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import large_release
from benchmarks.measure import Line, Skip
from benchmarks.postgres import server
from benchmarks.reads import LIMIT, TIMES, LookUp, measure, p99, through, told
from common.settings import Settings
from repositories import Warehouse
from repositories.connection import open_release

LOOK_UPS = (
    LookUp("published_posts", ("post_id",), "canonical"),
    LookUp("performance_metrics", ("metric_id",), "canonical"),
    LookUp("performance_metrics", ("post_id",), "canonical"),
    LookUp("products", ("product_id",), "canonical"),
    LookUp("post_performance", ("post_id",)),
    LookUp("post_performance", ("product_id",)),
    LookUp("post_metric_history", ("post_id",)),
    LookUp("post_age_metrics", ("post_id",)),
    LookUp("hashtag_trends", ("hashtag", "day")),
    LookUp("creative_briefs", ("product_id",)),
)
#: How often a warehouse is opened.
OPENED = 20


def lines(folder: Path, rows: int) -> Iterator[Line]:
    """p99 of each look-up in tables of so many rows; and of opening a warehouse for one."""
    yield from _timed(large_release.on_duckdb(folder / "duckdb", rows), rows, "DuckDB")
    data = Path(tempfile.mkdtemp(prefix="acepg"))  # short: sockets have short paths
    try:
        with server(data) as uri:
            config = large_release.on_postgres(folder / "postgres", uri, rows)
            yield from _timed(config, rows, "Postgres")
    except Skip as why:
        yield Line(f"reads of {rows:,} rows on Postgres", skipped=str(why))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _timed(config: Settings, rows: int, engine: str) -> Iterator[Line]:
    def opened() -> Warehouse:
        return Warehouse.open(config=config)

    with (
        open_release(config.home, target=config.target, postgres_url=config.postgres_url) as reader,
        opened() as warehouse,
    ):
        yield from told(measure(reader, LOOK_UPS, ask=through(warehouse)), f", {engine}")
        [(key,)] = LOOK_UPS[0].keys(reader, 1)
    yield _opening(opened, key, engine)


def _opening(opened: Callable[[], Warehouse], key: object, engine: str) -> Line:
    """From nothing to the first row, in a process that has the library loaded."""
    took = []
    for _ in range(OPENED):
        begun = time.perf_counter()
        with opened() as warehouse:
            warehouse.published_posts.get(key)
        took.append((time.perf_counter() - begun) * 1000)
    return Line(
        f"open, and one post by its key, {engine}", p99(took), unit="ms",
        note=f"slowest of {OPENED}; a look-up alone is held to {LIMIT:g} ms, p99 of {TIMES}",
    )  # fmt: skip
