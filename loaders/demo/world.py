"""The simulated world: its numbers, and its rows resource by resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from loaders.demo.catalogue import Catalogue, make_catalogue
from loaders.demo.clock import Clock, make_clock
from loaders.schema import ALL_RESOURCES


@dataclass(frozen=True)
class World:
    """A simulated month. Rows are made on demand, in chunks, the same every time."""

    clock: Clock
    catalogue: Catalogue

    def frames(self, resource: str) -> Iterator[pl.DataFrame]:
        """Rows of one resource (see :mod:`loaders.demo.frames`), dirt included."""
        from loaders.demo import catalogue_rows, dirt, growth, memory, operations, trends

        makers: dict[str, Callable[[World], Iterator[pl.DataFrame]]] = {
            "products": catalogue_rows.products,
            "creative_patterns": catalogue_rows.patterns,
            "scripts": catalogue_rows.scripts,
            "video_assets": catalogue_rows.assets,
            "experiments": catalogue_rows.experiments,
            "published_posts": catalogue_rows.posts,
            "performance_metrics": growth.polls,
            "raw_videos": trends.raw_videos,
            "trend_snapshots": trends.snapshots,
            "agent_notes": memory.notes,
            "embeddings": memory.embeddings,
            "system_events": operations.events,
        }
        yield from makers[resource](self)
        yield from dirt.rows(self, resource)

    def rows(self, resource: str) -> pl.DataFrame:
        """All rows of one resource in one frame (small worlds only)."""
        from loaders.demo.frames import aligned

        if resource not in ALL_RESOURCES:
            raise KeyError(resource)
        return aligned(resource, list(self.frames(resource)))


def simulate(
    *,
    posts: int = 1000,
    days: int = 30,
    seed: int = 7,
    start: datetime | None = None,
    polls_per_post: int = 19,
    loads: int = 5,
) -> World:
    """Make a world of ``posts`` posts over ``days`` days, the same for the same arguments.

    ``polls_per_post`` is how many ages a post is polled at if the month is long enough
    for all of them; ``loads`` how many times the month's data lands. Without ``start``
    the month ends with 31 October 2026. Raises UsageError for impossible sizes.
    """
    clock = make_clock(posts, days, seed, start, polls_per_post, loads)
    return World(clock, make_catalogue(clock))
