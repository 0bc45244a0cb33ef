"""Which posts the warehouse knows on a platform, and which of them are due for a poll.

Read from the landing zone, so that what landed since the last build counts too.

How often a post is polled, by its age:

| age | polled |
| --- | --- |
| to 12 hours | at every run |
| to 2 days | every 2 hours |
| to 8 days | every 6 hours |
| to 30 days | once a day |
| to 90 days | once a week |
| older | every 30 days |

With a run every half hour the values of all five ages come out with polls no further apart than
half of the age around them; with one every hour that of one hour does not. A post takes 67 and
55 polls in its first nine days then.

Whatever the table says, a post is polled at the first run after each age at which posts are
compared (``seeds/age_horizons.csv``: 1, 6, 24, 72 and 168 hours): a value at an age lies between
two polls, and is the better the closer they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from loaders.landing import Landing
from loaders.landing.rows import landed_batches
from loaders.schema import SOURCES, polars_type
from loaders.staged import platform as staged_platform
from loaders.staged import trimmed

#: Up to this age, polls are at least so far apart. See the table above.
POLL_EVERY: tuple[tuple[timedelta, timedelta], ...] = (
    (timedelta(hours=12), timedelta(0)),
    (timedelta(days=2), timedelta(hours=2)),
    (timedelta(days=8), timedelta(hours=6)),
    (timedelta(days=30), timedelta(days=1)),
    (timedelta(days=90), timedelta(days=7)),
)
OLD = timedelta(days=30)
#: The ages of ``seeds/age_horizons.csv`` (a test holds the two together).
HORIZONS = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 168))
#: A scheduler is never quite on time: so much earlier is as good as due.
SLACK = timedelta(minutes=5)
_TIME = polars_type("timestamp")


@dataclass(frozen=True)
class KnownPost:
    """A published post: its id on the platform, since when it is public, and its last poll."""

    external_id: str
    published_at: datetime | None
    polled_at: datetime | None


def due(post: KnownPost, now: datetime) -> bool:
    """Whether a post is to be polled at ``now``. A post that is not public yet is not."""
    if post.published_at is not None and post.published_at > now:
        return False
    if post.polled_at is None:
        return True
    since = now - post.polled_at + SLACK
    if post.published_at is None:
        return since >= timedelta(days=1)
    age = now - post.published_at
    crossed = any(
        post.published_at + horizon <= now and post.polled_at < post.published_at + horizon
        for horizon in HORIZONS
    )
    return crossed or since >= next((apart for to, apart in POLL_EVERY if age <= to), OLD)


def posts_to_poll(landing: Landing, platform: str, now: datetime) -> list[str]:
    """Ids of the posts of a platform that are due, new ones without a poll first, then by the
    oldest poll. AceError for a landed file that cannot be read.
    """
    found = [post for post in known_posts(landing, platform) if due(post, now)]
    first = datetime.min.replace(tzinfo=now.tzinfo)
    found.sort(key=lambda p: (_may_be_gone(p, now), p.polled_at or first, p.external_id))
    return [post.external_id for post in found]


def _may_be_gone(post: KnownPost, now: datetime) -> bool:
    """Whether a post was never polled though it is old: a platform leaves deleted ones out
    without a word, so it may be asked for in vain at every run, and must keep no other waiting."""
    old = post.published_at is None or now - post.published_at > POLL_EVERY[2][0]
    return post.polled_at is None and old


def known_posts(landing: Landing, platform: str) -> list[KnownPost]:
    """Every published post of a platform that has landed from any source but the demo, whose
    posts are on no platform."""
    columns = (
        "post_id", "platform", "external_post_id", "platform_post_id", "published_at",
        "posted_at", "_extracted_at",
    )  # fmt: skip
    posts = pl.concat(_landed(landing, "published_posts", columns)).select(
        "post_id",
        _id("external_post_id", "platform_post_id"),
        pl.coalesce("published_at", "posted_at").alias("published_at"),
        _platform(platform),
        pl.coalesce("_extracted_at", "published_at", "posted_at").alias("known_at"),
    )
    posts = posts.filter(pl.col("here"), pl.col("id") != "")
    newest = (
        posts.sort("known_at", nulls_last=False)
        .group_by("id")
        .agg(pl.col("published_at").drop_nulls().last(), pl.col("post_id").drop_nulls().last())
    )
    by_id, by_key = _last_polls(landing, platform)
    joined = newest.join(by_id, on="id", how="left").join(by_key, on="post_id", how="left")
    last = pl.max_horizontal("by_id", "by_key")
    return [
        KnownPost(*row) for row in joined.select("id", "published_at", last).sort("id").iter_rows()
    ]


def _last_polls(landing: Landing, platform: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The newest poll by the post's id on the platform, and by its key; piece by piece, since
    there are fifty polls to a post."""
    by_id = [pl.DataFrame(schema={"id": pl.String(), "by_id": _TIME})]
    by_key = [pl.DataFrame(schema={"post_id": pl.String(), "by_key": _TIME})]
    columns = ("post_id", "platform", "external_post_id", "collected_at", "_extracted_at")
    for polls in _landed(landing, "performance_metrics", columns):
        polls = polls.with_columns(pl.coalesce("collected_at", "_extracted_at").alias("at"))
        named = polls.select(_id("external_post_id"), _platform(platform), "at")
        named = named.filter(pl.col("here"), pl.col("id") != "")
        by_id.append(named.group_by("id").agg(pl.max("at").alias("by_id")))
        keyed = polls.filter(pl.col("post_id").is_not_null())
        by_key.append(keyed.group_by("post_id").agg(pl.max("at").alias("by_key")))
    return (
        pl.concat(by_id).group_by("id").agg(pl.max("by_id")),
        pl.concat(by_key).group_by("post_id").agg(pl.max("by_key")),
    )


def _landed(landing: Landing, resource: str, columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    wanted = list(columns)
    for source, resources in SOURCES.items():
        if resource in resources and source != "demo":
            yield from landed_batches(landing, source, resource, wanted)


def _id(*columns: str) -> pl.Expr:
    return trimmed(pl.coalesce(*columns)).fill_null("").alias("id")


def _platform(platform: str) -> pl.Expr:
    return (staged_platform() == platform).fill_null(False).alias("here")
