"""The simulated world: the numbers that all its rows are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from loaders.demo.catalogue import Catalogue, make_catalogue
from loaders.demo.clock import Clock, make_clock


@dataclass(frozen=True)
class World:
    """A simulated month; :mod:`loaders.demo.resources` makes its rows."""

    clock: Clock
    catalogue: Catalogue


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
