"""Lands a simulated world in a few loads, as a month of ordinary loading would."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from common.errors import UsageError
from loaders.demo.clock import moment
from loaders.demo.dirt import bad_records, rejections
from loaders.demo.real import FINGERPRINT, load_real
from loaders.demo.resources import frames
from loaders.demo.truth_files import Tally, write_truth
from loaders.demo.world import World, simulate
from loaders.landing import Landing, Load, LoadWriter
from loaders.schema import ALL_RESOURCES

SOURCE, ACCOUNT = "demo", "simulated"
#: Rises whenever the simulator makes other rows from the same seed.
VERSION = 1
#: Parents before children, as a day of work would land them.
ORDER = (
    "products",
    "creative_patterns",
    "scripts",
    "video_assets",
    "experiments",
    "published_posts",
    "performance_metrics",
    "raw_videos",
    "trend_snapshots",
    "agent_notes",
    "embeddings",
    "system_events",
)
assert sorted(ORDER) == sorted(ALL_RESOURCES)


@dataclass(frozen=True)
class DemoLoad:
    """One load of the demo: which batch of the month it is, and whether it was new."""

    batch: int
    load: Load
    #: False when an earlier run had landed it already.
    new: bool


def load_demo(
    landing: Landing,
    *,
    posts: int = 1000,
    days: int = 30,
    seed: int = 7,
    start: datetime | None = None,
    polls_per_post: int = 19,
    loads: int = 5,
    batches: Collection[int] | None = None,
    real: bool = True,
    truth_dir: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[DemoLoad]:
    """Simulate a world and land it, oldest load first.

    Loads an earlier call has landed (same arguments) are left alone. ``batches`` lands
    only those of the month's loads (0 is the first), so that a test can build in
    between; the truth always describes the whole month. ``truth_dir`` gets the truth as
    Parquet files and ``truth.json``. ``real`` adds the bundled real trending videos.
    Raises UsageError for impossible sizes or where another world was landed before, and
    AceError when landing cannot be written.
    """
    world = simulate(
        posts=posts, days=days, seed=seed, start=start, polls_per_post=polls_per_post, loads=loads
    )
    landing.prepare()
    done: list[DemoLoad] = []
    if real:
        # Before the month: the newest landing stays the month's own last load.
        load = load_real(landing, moment(world.clock.loads[0]))
        if load is not None:
            done.append(DemoLoad(0, load, True))
    wanted = range(len(world.clock.loads)) if batches is None else sorted(set(batches))
    tally = Tally()
    done += _land(landing, world, list(wanted), tally, progress)
    if truth_dir is not None:
        write_truth(world, tally, truth_dir)
    return done


def fingerprint(world: World) -> str:
    """Names a world by everything its rows follow from; a load adds its own name."""
    clock = world.clock
    parts = (VERSION, clock.seed, clock.posts, clock.days, clock.polls_per_post, clock.start)
    return FINGERPRINT + "-".join(str(part) for part in (*parts, len(clock.loads), ""))


class _Batches:
    """The writers of one resource, one per load of the month that is to be written."""

    def __init__(self, world: World, resource: str, writers: dict[int, LoadWriter]) -> None:
        self.world, self.resource, self.writers = world, resource, writers

    def write(self, tally: Tally) -> None:
        """Make the resource's rows and hand each to the load it was known in time for."""
        clock = self.world.clock
        for frame in frames(self.world, self.resource):
            if frame.is_empty():
                continue
            extracted = frame["_extracted_at"].to_physical().to_numpy()
            batch = clock.batch(extracted)
            if batch.max() >= len(clock.loads):
                raise AssertionError(f"{self.resource}: a row is known after the last load")
            tally.add(self.resource, frame, batch)
            rows = frame.drop("_fate", "_reason")
            if batch.min() == batch.max():
                self._to(int(batch[0]), rows)
                continue
            for one in np.unique(batch):
                self._to(int(one), rows.filter(pl.Series(batch == one)))
        self._reject(tally)

    def _to(self, batch: int, rows: pl.DataFrame) -> None:
        if batch in self.writers:
            self.writers[batch].write(rows)

    def _reject(self, tally: Tally) -> None:
        bad = bad_records(self.world, self.resource)
        batch = self.world.clock.batch(np.array([b.extracted for b in bad], dtype=np.int64))
        for one in np.unique(batch):
            raws = [b.raw for b, where in zip(bad, batch, strict=True) if where == one]
            tally.reject(self.resource, int(one), len(raws))
            if one in self.writers:
                writer = self.writers[int(one)]
                # They stand behind the rows, in the places a longer file would have.
                writer.reject(rejections(self.resource, raws, writer.accepted))


def _land(
    landing: Landing,
    world: World,
    wanted: list[int],
    tally: Tally,
    progress: Callable[[str], None],
) -> list[DemoLoad]:
    world_mark = fingerprint(world)
    landed = {load.fingerprint: load for load in landing.loads(SOURCE)}
    if any(mark and not mark.startswith(world_mark) for mark in landed):
        # Two worlds share keys, and then neither truth file is true.
        raise UsageError(
            f"The landing zone {landing.url} already holds another simulated world.",
            "Set ACE_HOME (or ACE_LANDING) to a new folder, or remove its demo folder.",
        )
    done: list[DemoLoad] = []
    with ExitStack() as stack:
        writers: dict[tuple[int, str], LoadWriter] = {}
        # Load ids sort by when they were made, so make them in the month's order.
        for batch in wanted:
            for resource in ORDER:
                mark = f"{world_mark}{resource}-{batch}"
                if mark in landed:
                    done.append(DemoLoad(batch, landed[mark], False))
                    continue
                writers[batch, resource] = stack.enter_context(
                    landing.open_load(
                        SOURCE,
                        resource,
                        account=ACCOUNT,
                        input=f"simulated month, seed {world.clock.seed}, load {batch + 1}",
                        fingerprint=mark,
                        loaded_at=moment(world.clock.loads[batch]),
                    )
                )
        for resource in ORDER:
            own = {batch: writer for (batch, name), writer in writers.items() if name == resource}
            progress(resource)
            _Batches(world, resource, own).write(tally)
        for (batch, _), writer in writers.items():
            if writer.accepted or writer.rejected:
                done.append(DemoLoad(batch, writer.commit(), True))
    return sorted(done, key=lambda entry: entry.load.load_id)
