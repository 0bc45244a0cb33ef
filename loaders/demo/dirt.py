"""Rows that are wrong on purpose, each with the verdict the warehouse must reach.

They come on top of the world's own rows, so that nothing planted hides in them.
Copies, revisions and drafts are made where the rows are (growth, catalogue_rows ...).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import polars as pl

from loaders.demo.clock import DAY, HOUR, MINUTE, PLATFORMS
from loaders.demo.frames import ACCEPTED, QUARANTINED, pick, simulated, times
from loaders.demo.keys import Ints, uuids
from loaders.demo.world import World
from loaders.landing import Rejected
from loaders.records import Record, type_records

#: Columns of dirty rows: a series, or one value for all of them.
Columns = dict[str, Any]
MISSING, PARENT, RANGE = "missing_required", "missing_parent", "out_of_range"
NOT_PUBLISHED = "not_published_yet"
#: Polls of each post whose experiment never comes.
ORPHAN_POLLS = 3


def _many(world: World, per: int, low: int) -> int:
    """One per so many posts, but at least ``low``."""
    return max(low, world.clock.posts // per)


class _Maker:
    """Makes dirty rows of one resource: spread over the month, with keys of their own."""

    def __init__(self, world: World, resource: str, key: str) -> None:
        self.world, self.resource, self.key = world, resource, key
        self.made = 0
        self.frames: list[pl.DataFrame] = []

    def keys(self, kind: str, index: Ints) -> pl.Series:
        return uuids(self.world.clock.seed, kind, index)

    def times(self, count: int) -> Ints:
        clock = self.world.clock
        span = clock.end - clock.start - 2 * HOUR
        return clock.start + HOUR + np.arange(1, count + 1, dtype=np.int64) * span // (count + 1)

    def add(
        self,
        count: int,
        reason: str,
        columns: Columns,
        fate: str = QUARANTINED,
        known: Ints | None = None,
    ) -> None:
        """``count`` rows of one sort; plain values are repeated."""
        index = np.arange(self.made, self.made + count, dtype=np.int64)
        self.made += count
        columns = {self.key: self.keys(f"dirt {self.resource}", index), **columns}
        height = {
            name: value
            if isinstance(value, pl.Series)
            else pl.Series([value] * count, dtype=pl.String if value is None else None)
            for name, value in columns.items()
        }
        at = self.times(count) if known is None else known
        self.frames.append(simulated(at, fate, reason, **height))


def _unknown(made: _Maker, kind: str, count: int) -> pl.Series:
    """Keys that belong to nothing."""
    return made.keys(f"never {kind}", np.arange(count, dtype=np.int64))


def _known(made: _Maker, kind: str, count: int) -> pl.Series:
    """Keys of the first rows of a kind."""
    return made.keys(kind, np.arange(count, dtype=np.int64))


def _products(world: World) -> _Maker:
    made = _Maker(world, "products", "product_id")
    at = times(made.times(1))
    base: Columns = {"source_platform": "amazon", "meta": '{"simulated":true}', "created_at": at}
    made.add(1, MISSING, {**base, "name": None, "updated_at": at})
    made.add(1, MISSING, {**base, "name": "No Shop (simulated)", "source_platform": None})
    long_ago = times(np.array([10 * DAY]))
    made.add(1, RANGE, {**base, "name": "Old Thing (simulated)", "created_at": long_ago})
    return made


def _patterns(world: World) -> _Maker:
    made = _Maker(world, "creative_patterns", "pattern_id")
    at = times(made.times(2))
    made.add(2, PARENT, {"product_id": _unknown(made, "product", 2), "created_at": at})
    return made


def _scripts(world: World) -> _Maker:
    made = _Maker(world, "scripts", "script_id")
    at = times(made.times(2))
    product = _known(made, "product", 2)
    made.add(2, MISSING, {"product_id": product, "script_text": None, "created_at": at})
    product = _unknown(made, "product", 2)
    made.add(2, PARENT, {"product_id": product, "script_text": "Lost.", "created_at": at})
    return made


def _assets(world: World) -> _Maker:
    made = _Maker(world, "video_assets", "asset_id")
    base: Columns = {
        "storage_url": "demo/lost.mp4",
        "format": "mp4",
        "created_at": times(made.times(2)),
    }
    product = _known(made, "product", 2)
    made.add(2, PARENT, {**base, "product_id": product, "script_id": _unknown(made, "script", 2)})
    made.add(2, MISSING, {**base, "product_id": product, "storage_url": None})
    made.add(2, MISSING, {**base, "product_id": None, "script_id": None})
    return made


def _experiments(world: World) -> _Maker:
    made = _Maker(world, "experiments", "experiment_id")
    at = times(made.times(2))
    made.add(2, PARENT, {"product_id": _unknown(made, "product", 2), "created_at": at})
    made.add(2, MISSING, {"product_id": None, "created_at": at})
    return made


def _orphan_posts(world: World) -> int:
    return _many(world, 500, 3)


def _posts(world: World) -> _Maker:
    made = _Maker(world, "published_posts", "post_id")
    count = _orphan_posts(world)
    at = made.times(count)
    orphans: Columns = {
        "experiment_id": _unknown(made, "experiment", count),
        "platform": pick(PLATFORMS, np.arange(count) % 3),
        "external_post_id": pl.Series([f"orphan{k}" for k in range(count)]),
        "published_at": times(at),
        "created_at": times(at),
    }
    made.add(count, PARENT, orphans, known=at + 5 * MINUTE)
    count = _many(world, 200, 3)
    at = made.times(count)
    experiment = made.keys("experiment", np.arange(count, dtype=np.int64))
    made.add(
        count,
        NOT_PUBLISHED,
        {"experiment_id": experiment, "platform": "tiktok", "created_at": times(at)},
    )
    at = made.times(2)
    ahead: Columns = {
        "experiment_id": _known(made, "experiment", 2),
        "platform": "instagram",
        "external_post_id": pl.Series(["scheduled0", "scheduled1"]),
        "published_at": times(np.full(2, world.clock.end + 10 * DAY)),
        "created_at": times(at),
    }
    made.add(2, NOT_PUBLISHED, ahead)
    return made


def _metrics(world: World) -> _Maker:
    made = _Maker(world, "performance_metrics", "metric_id")

    def polls(count: int, **columns: Any) -> Columns:
        index = np.arange(count, dtype=np.int64)
        at = times(made.times(count))
        base: Columns = {"collected_at": at}
        base |= {"views": pl.Series(500 + index), "likes": pl.Series(20 + index % 7)}
        return {**base, **columns}

    count = _orphan_posts(world)
    published = np.repeat(made.times(count), ORPHAN_POLLS)
    when = published + np.tile(np.arange(1, ORPHAN_POLLS + 1), count) * MINUTE * 12
    index = np.repeat(np.arange(count, dtype=np.int64), ORPHAN_POLLS)
    made.add(
        len(when),
        PARENT,
        polls(
            len(when), post_id=made.keys("dirt published_posts", index), collected_at=times(when)
        ),
        known=when + MINUTE,
    )
    count = _many(world, 100, 5)
    made.add(count, PARENT, polls(count, post_id=_unknown(made, "post", count)))
    count = _many(world, 200, 3)
    names = pl.Series([f"unknown{k}" for k in range(count)])
    nameless = {"metric_id": None, "platform": "tiktok", "external_post_id": names}
    made.add(count, PARENT, polls(count, **nameless))
    posts = np.arange(count, dtype=np.int64)
    published = world.catalogue.post_published[posts]
    early = published - HOUR
    made.add(
        count,
        RANGE,
        polls(count, post_id=made.keys("post", posts), collected_at=times(early)),
        known=early + MINUTE,
    )
    when = published + 7 * MINUTE
    negative = pl.Series(-1 - posts)
    made.add(
        count,
        RANGE,
        polls(count, post_id=made.keys("post", posts), collected_at=times(when), views=negative),
        known=when + MINUTE,
    )
    made.add(2, MISSING, polls(2, post_id=None))
    post = _known(made, "post", 2)
    ahead = times(np.full(2, world.clock.end + 30 * DAY))
    made.add(2, RANGE, polls(2, post_id=post, collected_at=ahead))
    # No observation time and no counts: valid all the same, known when it was known.
    empty: Columns = {"post_id": post, "collected_at": None}
    # A world of two days ends before that.
    known = np.minimum(world.catalogue.post_published[:2] + 31 * HOUR, world.clock.end)
    made.add(2, "no observation time", empty, ACCEPTED, known)
    return made


def _raw_videos(world: World) -> _Maker:
    made = _Maker(world, "raw_videos", "id")

    def seen(count: int, name: str, **columns: Any) -> Columns:
        at = times(made.times(count))
        base: Columns = {"platform": "tiktok"}
        base |= {"external_id": pl.Series([f"{name}{k}" for k in range(count)])}
        base |= {"view_count": 1000, "collected_at": at, "created_at": at}
        return {**base, **columns}

    made.add(2, MISSING, seen(2, "none", external_id=None))
    made.add(3, RANGE, seen(3, "negative", view_count=-5))
    made.add(2, "no observation time", seen(2, "timeless", collected_at=None), ACCEPTED)
    made.add(1, "unknown platform", seen(1, "elsewhere", platform="Threads"), ACCEPTED)
    return made


def _snapshots(world: World) -> _Maker:
    made = _Maker(world, "trend_snapshots", "snapshot_id")
    at = times(made.times(2))
    made.add(2, PARENT, {"product_id": _unknown(made, "product", 2), "snapshot_time": at})
    made.add(2, MISSING, {"product_id": None, "snapshot_time": at})
    product = _known(made, "product", 2)
    timeless: Columns = {"product_id": product}
    made.add(2, "no observation time", {**timeless, "snapshot_time": None}, ACCEPTED)
    return made


def _notes(world: World) -> _Maker:
    made = _Maker(world, "agent_notes", "note_id")
    at = times(made.times(2))
    made.add(2, MISSING, {"agent_name": "AnalystAgent", "content": None, "created_at": at})
    made.add(2, MISSING, {"agent_name": None, "content": "Whose?", "created_at": at})
    return made


def _embeddings(world: World) -> _Maker:
    made = _Maker(world, "embeddings", "embedding_id")
    base: Columns = {
        "reference_type": "script",
        "reference_id": _known(made, "script", 2),
        "embedding": "[0.1, 0.2]",
        "metadata": '{"dimension":2,"model":"demo-embed-v1"}',
        "created_at": times(made.times(2)),
    }
    made.add(2, MISSING, {**base, "embedding": None})
    made.add(2, PARENT, {**base, "reference_id": _unknown(made, "script", 2)})
    made.add(2, "unknown reference type", {**base, "reference_type": "campaign"}, ACCEPTED)
    return made


def _events(world: World) -> _Maker:
    made = _Maker(world, "system_events", "event_id")
    at = times(made.times(2))
    made.add(2, MISSING, {"agent_name": "WatchdogAgent", "event_type": None, "created_at": at})
    long_ago = times(np.full(2, 10 * DAY, dtype=np.int64))
    old: Columns = {
        "agent_name": "WatchdogAgent",
        "event_type": "engine.heartbeat",
        "created_at": long_ago,
    }
    made.add(2, RANGE, old)
    return made


_MAKERS: dict[str, Callable[[World], _Maker]] = {
    "products": _products,
    "creative_patterns": _patterns,
    "scripts": _scripts,
    "video_assets": _assets,
    "experiments": _experiments,
    "published_posts": _posts,
    "performance_metrics": _metrics,
    "raw_videos": _raw_videos,
    "trend_snapshots": _snapshots,
    "agent_notes": _notes,
    "embeddings": _embeddings,
    "system_events": _events,
}


def rows(world: World, resource: str) -> Iterator[pl.DataFrame]:
    """The dirty rows of a resource that can be typed."""
    yield from _MAKERS[resource](world).frames


@dataclass(frozen=True)
class BadRecord:
    """A record that cannot be typed, as its source sent it, and when it came."""

    raw: bytes
    extracted: int


def bad_records(world: World, resource: str) -> list[BadRecord]:
    """Broken JSON, text in counts, impossible dates, wrong encoding, bad keys."""
    seed = world.clock.seed
    key = uuids(seed, "bad record", np.arange(4, dtype=np.int64)).to_list()
    post = uuids(seed, "post", np.array([0]))[0]
    raws: dict[str, list[str | bytes]] = {
        "products": [f'{{"product_id":"{key[0]}","name":"Broken (simulated)","meta":"{{oops"}}'],
        "published_posts": ['{"post_id":"post-17","platform":"tiktok","external_post_id":"1"}'],
        "raw_videos": [
            '{"external_id":"v1","platform":"tiktok","view_count":"lots"}',
            b'{"external_id":"v2","platform":"tiktok","caption":"caf\xe9"}',
        ],
        "system_events": [
            f'{{"event_id":"{key[1]}","event_type":"engine.error","created_at":"yesterday"}}',
            f'{{"event_id":"{key[2]}","event_type":"engine.err',
        ],
        "performance_metrics": [
            f'{{"metric_id":"{key[0]}","post_id":"{post}","views":"many","likes":3}}',
            f'{{"metric_id":"{key[1]}","post_id":"{post}","views":1,"collected_at":"2026-02-31"}}',
            f'{{"metric_id":"{key[2]}","post_id":"{post}","views":99999999999999999999999}}',
            f'{{"metric_id":"{key[3]}","post_id":"{post}","views":12,',
        ],
    }
    again = _many(world, 1000, 1) if resource == "performance_metrics" else 1
    records = [raw for raw in raws.get(resource, []) for _ in range(again)]
    clock = world.clock
    span = clock.end - clock.start - HOUR
    return [
        BadRecord(
            raw if isinstance(raw, bytes) else raw.encode(),
            clock.start + HOUR + span * k // (len(records) + 1),
        )
        for k, raw in enumerate(records)
    ]


def rejections(resource: str, raws: list[bytes], start: int) -> list[Rejected]:
    """Why each of those records cannot be typed, as a loader would say it."""
    found: list[Rejected] = []
    for position, raw in enumerate(raws, start):
        try:
            values = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            found.append(Rejected(position, raw, f"the record is not valid JSON: {error}"))
            continue
        _, refused = type_records(resource, [Record(values, raw=raw, position=position)])
        if not refused:
            raise AssertionError(f"{resource}: {raw!r} was meant to be refused")
        found += refused
    return found
