"""Trending videos seen day by day, with planted hashtags, and product trend snapshots.

A video enters the list on one day and stays for a few; every day it is seen is one
row. On some days nothing was collected at all: those days are unknown, not quiet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from loaders.demo.clock import DAY, HOUR, MINUTE, PLATFORMS, Clock
from loaders.demo.frames import DUPLICATE, SUPERSEDED, pick, simulated, times
from loaders.demo.growth import Flags
from loaders.demo.keys import Ints, hex_text, stream, uuid_or_null, uuids
from loaders.demo.truth import Floats
from loaders.demo.world import World
from loaders.tags import with_tags

TagKind = Literal["breakout", "slow_riser", "seasonal", "noise"]
#: Tags that mean nothing, chosen by a Zipf law.
NOISE_TAGS = tuple(
    f"{a}{b}"
    for a in ("daily", "my", "best", "easy", "real", "simple", "new", "tiny", "happy", "old")
    for b in ("hack", "home", "look", "food", "style", "life", "gear", "plan", "walk", "mood")
)
LIFETIME_DAYS = 3.0
MAX_LIFETIME = 7


@dataclass(frozen=True)
class PlantedTag:
    """A hashtag on one platform whose share of new videos follows a known course."""

    platform: str
    hashtag: str
    kind: TagKind
    #: Days after the start of the world; 0 for tags that were always there.
    start_day: int
    base_share: float
    peak_share: float

    def share(self, day: Ints, weekday: Ints, days: int) -> Floats:
        """Share of the new videos of each day that carry the tag."""
        if self.kind == "breakout":
            since = np.maximum(day - self.start_day + 1, 0)
            # Two days to the peak, then a slow decline.
            rise = np.minimum(since / 2, 1.0) * 0.93 ** np.maximum(since - 4, 0)
            shares: Floats = self.base_share + (self.peak_share - self.base_share) * rise
            return shares
        if self.kind == "slow_riser":
            return self.base_share + (self.peak_share - self.base_share) * day / max(days - 1, 1)
        if self.kind == "seasonal":
            return np.where(weekday >= 5, self.peak_share, self.base_share)
        return np.full(len(day), self.base_share)


def planted_tags(clock: Clock) -> list[PlantedTag]:
    """What is to be found: per platform two breakouts, a slow riser, a weekly tag."""
    random = stream(clock.seed, "tags")
    tags: list[PlantedTag] = []
    for platform in PLATFORMS:
        early, late = (int(clock.days * random.uniform(*s)) for s in ((0.4, 0.55), (0.6, 0.8)))
        short = platform[:2]
        tags += [
            PlantedTag(platform, f"cloudglaze{short}", "breakout", early, 0.0, 0.30),
            PlantedTag(platform, f"lampgate{short}", "breakout", late, 0.01, 0.35),
            PlantedTag(platform, f"slowliving{short}", "slow_riser", 0, 0.02, 0.16),
            PlantedTag(platform, f"weekendreset{short}", "seasonal", 0, 0.03, 0.18),
            PlantedTag(platform, f"steady{short}", "noise", 0, 0.10, 0.10),
        ]
    return tags


def days_without_collection(clock: Clock) -> list[tuple[int, str | None]]:
    """Whole days nothing was collected: day number and platform (null: all of them)."""
    if clock.days < 14:
        return [(clock.days // 2, None)] if clock.days >= 4 else []
    return [
        (clock.days * 3 // 10, None),
        (clock.days * 13 // 20, None),
        (clock.days * 13 // 20 + 1, None),
        (clock.days * 9 // 20, PLATFORMS[clock.seed % 3]),
    ]


def collected_days(clock: Clock) -> list[list[bool]]:
    """By platform and day: was anything collected."""
    gaps = days_without_collection(clock)
    return [
        [not any(d == day and p in (None, name) for d, p in gaps) for day in range(clock.days)]
        for name in PLATFORMS
    ]


def new_videos_per_day(posts: int) -> int:
    """New trending videos per platform and day: 25 to 400."""
    return int(min(max(posts * 0.03, 25), 400))


def _births(world: World) -> tuple[Ints, Ints, Ints]:
    """Platform, day of birth and lifetime (days) of every trending video.

    Videos are born before the month too, so that its first day is like the others.
    """
    clock = world.clock
    each = new_videos_per_day(clock.posts)
    days = np.arange(-MAX_LIFETIME, clock.days)
    platform = np.repeat(np.arange(3), len(days) * each)
    born = np.tile(np.repeat(days, each), 3)
    life = stream(clock.seed, "lifetimes").geometric(1 / LIFETIME_DAYS, len(born))
    return platform, born, np.minimum(life, MAX_LIFETIME)


def _hashtags(world: World, platform: Ints, born: Ints) -> tuple[pl.Series, pl.Series]:
    """Hashtags of each video, as a list and as the end of a caption."""
    clock = world.clock
    random = stream(clock.seed, "hashtags")
    count = len(born)
    weekday = ((clock.start // DAY + born) + 3) % 7
    columns: list[pl.Series] = []
    weight = 1 / np.arange(1, len(NOISE_TAGS) + 1)
    first = random.choice(len(NOISE_TAGS), count, p=weight / weight.sum())
    columns.append(pick(NOISE_TAGS, first))
    second = (first + random.integers(1, len(NOISE_TAGS), count)) % len(NOISE_TAGS)
    words = (*NOISE_TAGS, None)
    columns.append(pick(words, np.where(random.random(count) < 0.6, second, len(NOISE_TAGS))))
    for tag in planted_tags(clock):
        carries: Flags = random.random(count) < tag.share(born, weekday, clock.days)
        if tag.kind == "breakout" and tag.base_share == 0:
            carries &= born >= tag.start_day
        carries &= platform == PLATFORMS.index(tag.platform)
        columns.append(pick((tag.hashtag, None), np.where(carries, 0, 1)))
    frame = pl.DataFrame({f"c{k}": column for k, column in enumerate(columns)})
    lists = frame.select(pl.concat_list(pl.all()).list.drop_nulls().alias("x"))["x"]
    captions = lists.to_frame("x").select(
        pl.concat_str(pl.lit("Watch this #"), pl.col("x").list.join(" #")).alias("c")
    )["c"]
    return lists, captions


def raw_videos(world: World) -> Iterator[pl.DataFrame]:
    """Observations of trending videos, one per video and day it was seen."""
    clock, seed = world.clock, world.clock.seed
    platform, born, life = _births(world)
    tags, captions = _hashtags(world, platform, born)
    random = stream(seed, "videos")
    count = len(born)
    final = np.exp(random.normal(np.log(250_000), 1.0, count))
    half_life = 30 * np.exp(random.normal(0, 0.5, count))
    rate = np.array([0.09, 0.04, 0.06])[platform] * np.exp(random.normal(0, 0.4, count))
    birth_hour = random.uniform(0, 10, count)
    author = random.zipf(1.6, count) % 997
    video = np.repeat(np.arange(count), life)
    since = np.arange(len(video)) - np.repeat(np.cumsum(life) - life, life)
    day = born[video] + since
    open_days = np.array(collected_days(clock))
    seen = (day >= 0) & (day < clock.days)
    seen &= open_days[platform[video], np.clip(day, 0, clock.days - 1)]
    seen &= random.random(len(video)) >= 0.03
    video, day = video[seen], day[seen]
    jitter = random.integers(0, 20 * MINUTE, len(video))
    collected = clock.start + day * DAY + 14 * HOUR + platform[video] * 30 * MINUTE + jitter
    age = (day - born[video]) * 24 + 14 - birth_hour[video]
    views = (final[video] / (1 + (half_life[video] / age) ** 1.1)).astype(np.int64) + 100
    likes = (views * rate[video] * 0.85).astype(np.int64)
    number = np.arange(len(video))
    index = video.astype(np.int64)
    place = pl.Series(index.astype(np.uint32))
    in_caption = pl.Series(video % 12 == 5)
    derived = video % 15 == 7
    columns = pl.DataFrame({"tags": tags.gather(place)}).select(
        # Some sources give no list of tags: then the caption has them.
        pl.when(~in_caption).then("tags").otherwise(pl.lit([], dtype=pl.List(pl.String))).alias("a")
    )
    loose = video % 40 == 3
    platforms = pick(
        (*PLATFORMS, "TikTok "), np.where(loose & (platform[video] == 0), 3, platform[video])
    )
    shares = (
        pl.Series(views // 90)
        .to_frame("s")
        .select(pl.when(pl.Series(platform[video] != 1)).then("s"))["s"]
    )
    comments = pl.Series((views * rate[video] * 0.08).astype(np.int64))
    frame = simulated(
        collected + 2 * MINUTE,
        id=uuid_or_null(seed, "raw video", np.where(derived, -1, number)),
        external_id=hex_text(seed, "trending", index, 12),
        platform=platforms,
        caption=captions.gather(place),
        hashtags=columns["a"],
        author=pl.Series([f"creator_{k}" for k in range(997)]).gather(
            pl.Series(author[video].astype(np.uint32))
        ),
        view_count=pl.Series(views),
        like_count=pl.Series(likes),
        share_count=shares,
        comment_count=comments,
        collected_at=times(collected),
        created_at=times(collected + MINUTE),
    )
    # The last third of the month brings a field nobody declared.
    drifted = pl.Series(collected > clock.start + clock.days * DAY * 2 // 3)
    frame = with_tags("raw_videos", frame).with_columns(
        _extra=pl.when(drifted).then(pl.lit('{"music_title":"simulated tune"}'))
    )
    kind = stream(seed, "video copies").random(len(video))
    room = pl.Series(collected + 26 * HOUR <= clock.end)
    again = pl.Series(kind < 0.005) & room
    fixed = pl.Series((kind > 0.996) & ~derived) & room
    later = times(collected + 25 * HOUR)
    yield frame.with_columns(
        _fate=pl.when(fixed).then(pl.lit(SUPERSEDED)).otherwise("_fate"),
        _reason=pl.when(fixed).then(pl.lit("counts corrected")),
    )
    frame = frame.with_columns(_extracted_at=later)
    yield frame.filter(again).with_columns(_fate=pl.lit(DUPLICATE), _reason=pl.lit("landed twice"))
    yield frame.filter(fixed).with_columns(
        like_count=pl.col("like_count") + 5, _reason=pl.lit("counts corrected")
    )


def product_direction(world: World) -> Ints:
    """Daily course of each product's popularity: 1 up, -1 down, 0 stable."""
    directions = stream(world.clock.seed, "directions").integers(-1, 2, world.catalogue.products)
    return directions.astype(np.int64)


def snapshots(world: World) -> Iterator[pl.DataFrame]:
    """One snapshot per product and day: popularity up to 6% a day up or down, with noise."""
    clock, seed = world.clock, world.clock.seed
    random = stream(seed, "snapshots")
    products, days = world.catalogue.products, clock.days
    direction = product_direction(world)
    shape = (products, days)
    slope = direction * random.uniform(0.03, 0.06, products)
    level = np.log(random.uniform(15, 40, products))
    logs = level[:, None] + slope[:, None] * np.arange(days) + random.normal(0, 0.04, shape)
    popularity = np.round(np.minimum(np.exp(logs), 100.0), 2)
    velocity = np.round(np.diff(popularity, axis=1, prepend=popularity[:, :1]), 3)
    competition = np.round(np.clip(random.normal(0.5, 0.15, (products, 1)), 0, 1), 3)
    open_days = np.array(collected_days(clock))[0]
    seen = np.broadcast_to(open_days, shape) & (random.random(shape) >= 0.03)
    product, day = np.nonzero(seen)
    when = clock.start + day * DAY + 16 * HOUR + (product % 60) * MINUTE
    tags = planted_tags(clock)
    breakouts = [t for t in tags if t.platform == "tiktok" and t.kind == "breakout"]
    old = pick(NOISE_TAGS, (product * 7) % len(NOISE_TAGS)).to_frame("a")
    for number, tag in enumerate(breakouts):
        shown = (day >= tag.start_day) & (product % 4 == number)
        old = old.with_columns(pick((tag.hashtag, None), np.where(shown, 0, 1)).alias(f"b{number}"))
    yield simulated(
        when + 3 * MINUTE,
        snapshot_id=uuids(seed, "snapshot", product * 1024 + day),
        product_id=uuids(seed, "product", product),
        popularity_score=pl.Series(popularity[product, day]),
        velocity_score=pl.Series(velocity[product, day]),
        competition_score=pl.Series(np.broadcast_to(competition, shape)[product, day]),
        tiktok_trend_tags=old.select(pl.concat_list(pl.all()).list.drop_nulls().alias("x"))["x"],
        raw_source_data=pl.Series(['{"simulated":true}']).gather(
            pl.Series(np.zeros(len(day), dtype=np.uint32))
        ),
        snapshot_time=times(when),
    )
