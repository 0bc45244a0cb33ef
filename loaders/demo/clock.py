"""The world's size and its clock: when it starts, when its loads land."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from common.errors import UsageError
from loaders.demo.keys import Ints

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

#: The default month ends with 31 October 2026 (fixed: a seed means one world).
LAST_DAY = datetime(2026, 10, 31, tzinfo=UTC)
MAX_POSTS = 50_000_000
PLATFORMS = ("tiktok", "youtube", "instagram")


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment(value: int) -> datetime:
    """The time that many microseconds after 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(value))


@dataclass(frozen=True)
class Clock:
    """Seed, size and time span of a world; times are microseconds since 1970."""

    seed: int
    posts: int
    days: int
    polls_per_post: int
    start: int
    #: When each load lands, in order; the last one closes the world.
    loads: tuple[int, ...]

    @property
    def end(self) -> int:
        """Nothing is known after the last load."""
        return self.loads[-1]

    def batch(self, extracted: Ints) -> Ints:
        """Which load a value obtained at that time lands in."""
        return np.searchsorted(np.array(self.loads), extracted, side="left").astype(np.int64)

    @property
    def batch_length(self) -> int:
        return self.days * DAY // len(self.loads)


def make_clock(
    posts: int, days: int, seed: int, start: datetime | None, polls_per_post: int, loads: int
) -> Clock:
    """Check the size and lay out the loads. Raises UsageError for a size nobody can want."""
    for name, value, low, high in (
        ("posts", posts, 10, MAX_POSTS),
        ("days", days, 2, 366),
        ("polls-per-post", polls_per_post, 2, 20),
        ("loads", loads, 1, 31),
    ):
        if not low <= value <= high:
            raise UsageError(
                f"--{name} is {value}, which is not between {low} and {high}.",
                f"Choose a number of {name} in that range.",
            )
    if start is None:
        start = LAST_DAY + timedelta(days=1 - days)
    elif start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    begin = micros(start)
    count = min(loads, days)
    # Half an hour before midnight, so that the last load is still on the last day.
    ends = tuple(begin + (k + 1) * days * DAY // count - 30 * MINUTE for k in range(count))
    return Clock(seed, posts, days, polls_per_post, begin, ends)
