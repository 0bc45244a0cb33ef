"""The rows of a simulated world, resource by resource.

They are made on demand, in chunks, the same every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from loaders.demo import catalogue_rows, dirt, growth, memory, operations, trends
from loaders.demo.frames import aligned
from loaders.demo.world import World

_MAKERS: dict[str, Callable[[World], Iterator[pl.DataFrame]]] = {
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


def frames(world: World, resource: str) -> Iterator[pl.DataFrame]:
    """Rows of one resource (see :mod:`loaders.demo.frames`), dirt included."""
    yield from _MAKERS[resource](world)
    yield from dirt.rows(world, resource)


def rows(world: World, resource: str) -> pl.DataFrame:
    """All rows of one resource in one frame (small worlds only); KeyError for another name."""
    return aligned(resource, list(frames(world, resource)))
