"""Point reads of a release: what an agent looks up, in milliseconds on the clock.

Through ``open_release``, as ``ace sql`` does, and through repositories, as agents do: one open
reader, one question at a time, the questions in turn so that noise hits all. Keys are drawn
evenly from the release itself. Beside the clock stands the processor time of this process, which
on a busy machine says more; of Postgres it is only the client's.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Line, Skip, median
from common.settings import Settings
from repositories import Warehouse
from repositories.connection import open_release
from repositories.reader import Reader

#: p99 of each look-up, in milliseconds.
LIMIT = 10.0
#: Questions of each kind; p99 is the third slowest.
TIMES = 300


@dataclass(frozen=True)
class LookUp:
    """All rows of a table with one value of ``by``, or of several columns."""

    table: str
    by: tuple[str, ...]
    schema: str = "marts"

    @property
    def name(self) -> str:
        return f"{self.table} by {' and '.join(self.by)}"

    @property
    def sql(self) -> str:
        return f"select * from {self.schema}.{self.table} where " + " and ".join(
            f"{c} = ?" for c in self.by
        )

    def keys(self, reader: Reader, wanted: int) -> list[tuple[object, ...]]:
        """Keys that are there, the same ones each time; fewer where there are fewer."""
        columns = ", ".join(self.by)
        asked = reader.query(
            f"select {columns} from "
            f"(select distinct {columns} from {self.schema}.{self.table}) as keys "
            f"where {self.by[0]} is not null "
            f"order by md5(cast({self.by[0]} as varchar)), {columns} limit {wanted}"
        )
        return asked.rows


#: Milliseconds on the clock and of the processor, of each question.
Times = list[tuple[float, float]]

#: A way to ask: what is looked up, and the key.
Ask = Callable[[LookUp, tuple[object, ...]], object]

LOOK_UPS = (
    LookUp("post_performance", ("post_id",)),
    LookUp("post_metric_history", ("post_id",)),
    LookUp("post_age_metrics", ("post_id",)),
    LookUp("experiment_results", ("experiment_id",)),
    LookUp("creative_pattern_performance", ("pattern_id",)),
    LookUp("hashtag_trends", ("hashtag", "day")),
    LookUp("product_performance", ("product_id",)),
)
#: As many rows as the product has posts: told, but held to no limit.
POSTS_OF_A_PRODUCT = LookUp("post_performance", ("product_id",))


def measure(
    reader: Reader,
    look_ups: Sequence[LookUp],
    times: int = TIMES,
    until: subprocess.Popen[bytes] | None = None,
    ask: Ask | None = None,
) -> dict[LookUp, Times]:
    """Milliseconds of each look-up, ``times`` each, or as many as fit until a process ends.

    ``ask`` is how they are asked, of the reader itself by default. The first of each kind
    reads cold parts of the file and is not counted.
    """
    ask = ask or (lambda one, key: reader.query(one.sql, key))
    keys = {one: one.keys(reader, times + 1) for one in look_ups}
    found: dict[LookUp, Times] = {one: [] for one in look_ups if keys[one]}
    for turn in range(times + 1):
        for one, took in found.items():
            if until is not None and until.poll() is not None:
                return found
            begun = time.perf_counter(), time.process_time()
            ask(one, keys[one][turn % len(keys[one])])
            ended = time.perf_counter(), time.process_time()
            if turn:
                took.append(((ended[0] - begun[0]) * 1000, (ended[1] - begun[1]) * 1000))
    return found


def through(warehouse: Warehouse) -> Ask:
    """Ask as programs do: a row by its key, else the rows with the values."""

    def ask(one: LookUp, key: tuple[object, ...]) -> object:
        rows = getattr(warehouse.marts if one.schema == "marts" else warehouse, one.table)
        if one.by == rows.relation.key:
            return rows.get(*key)
        filters: dict[str, Any] = dict(zip(one.by, key, strict=True))
        return rows.find(**filters)

    return ask


def lines(
    home: Path,
    look_ups: Sequence[LookUp] = (*LOOK_UPS, POSTS_OF_A_PRODUCT),
    *,
    target: str = "duckdb",
    postgres_url: str | None = None,
    build: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Line]:
    """p99 (and p50) of the current release of ``home``, idle, and while ``build`` runs.

    ``build`` is a command, such as ``ace build --force``, with its environment.
    """

    def opened() -> Reader:
        return open_release(home, target=target, postgres_url=postgres_url)

    with opened() as reader:
        yield from told(measure(reader, look_ups), "")
        config = Settings(home, target, str(home / "landing"), postgres_url, None, {})
        with Warehouse.open(config=config) as warehouse:
            found = measure(reader, look_ups, ask=through(warehouse))
        yield from told(found, ", by repositories")
    if not build:
        return
    with opened() as reader:
        running = subprocess.Popen(
            build, env=environment or os.environ, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            found = measure(reader, look_ups, times=10 * TIMES, until=running)
        finally:
            ended = running.wait()
    if ended:
        raise Skip(f"'{' '.join(build)}' ended with {ended}")
    yield from told(found, ", while a build runs")


def told(found: Mapping[LookUp, Times], when: str) -> Iterator[Line]:
    for one, took in found.items():
        if not took:
            yield Line(f"{one.name}{when}", skipped="the build ended before there was time")
            continue
        clock, processor = (list(values) for values in zip(*took, strict=True))
        held = None if one == POSTS_OF_A_PRODUCT else LIMIT
        yield Line(
            f"{one.name}{when}", p99(clock), unit="ms", ratio=p99(clock), limit=held,
            runs={"ms": clock, "processor": processor},
            note=f"p99 of {len(took)} in milliseconds, p50 {median(clock):.1f}; "
            f"of a processor {p99(processor):.1f} and {median(processor):.1f}",
        )  # fmt: skip


def p99(values: Sequence[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]
