"""Growth curves and the polls that sample them.

Views follow a log-logistic curve, ``V(t) = V / (1 + (m/t)^k)``, with its own half-life
m and steepness k per post, so the early slope says how much is still to come.
Increments between polls carry multiplicative noise and are Poisson; likes, comments
and shares are Poisson of the same views with the post's true rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from loaders.demo.catalogue_rows import DRIFT_EVERY, DRIFT_REST, external_ids
from loaders.demo.clock import DAY, HOUR, MINUTE, PLATFORMS, SECOND, Clock
from loaders.demo.frames import DUPLICATE, SUPERSEDED, pick, simulated, times
from loaders.demo.keys import Ints, stream, uuids
from loaders.demo.truth import Floats
from loaders.demo.world import World

#: Posts simulated at a time; part of the seed's meaning, do not tune per machine.
CHUNK = 20_000
#: Ages in hours, and the order in which they are dropped when fewer are wanted.
AGES = np.array(
    [0.5, 1.1, 2, 3, 6, 9, 12, 18, 24.3, 36, 48, 54, 72.3, 96, 120, 144, 168.5, 192, 240, 336]
)
KEEP_FIRST = (8, 12, 16, 4, 7, 11, 1, 0, 9, 14, 17, 2, 3, 6, 13, 10, 15, 5, 18, 19)
NOISE = 0.15
MISSING, LATE, TWICE, REVISED, BY_EXTERNAL_ID, NEARBY = 0.05, 0.04, 0.01, 0.003, 0.02, 0.01
#: Share of polls whose count is reported too low, by less than 1%: views ... shares.
JITTER = (0.02, 0.03, 0.05, 0.03)
#: Below this a loss of one would be more than the jitter may be.
JITTER_FROM = 500
CORRECTED_EVERY = 97
#: What each platform tells beyond counts, by its place among ``PLATFORMS``.
TOLD = {
    1: ("click_through_rate", "impressions"),
    2: ("three_second_rate", "reach", "saves"),
}
HIDDEN_LIKES_EVERY = 101
CORRECTION_FROM_HOURS = 90.0
Flags = npt.NDArray[np.bool_]


def schedule(polls: int) -> Floats:
    """The ages (hours) at which a post is polled, the most useful ones first to stay."""
    return np.sort(AGES[list(KEEP_FIRST[:polls])])


def outage(clock: Clock) -> tuple[int, int]:
    """A third into the month the collector is down for ten hours (6% of short months)."""
    length = min(10 * HOUR, clock.days * DAY // 16)
    begin = clock.start + clock.days * DAY // 3 + 2 * HOUR
    return begin, begin + length


def share_of_views(age_hours: Floats, half_life: Floats, steepness: Floats) -> Floats:
    """Share of its final views a post has at an age, without noise."""
    share: Floats = 1 / (1 + (half_life / age_hours) ** steepness)
    return share


def corrected_posts(world: World, posts: Ints) -> Flags:
    """Posts whose platform takes views back for good (if they are old and big enough)."""
    chosen = posts % CORRECTED_EVERY == CORRECTED_EVERY // 2
    big = world.catalogue.post_log_views[posts] > np.log(500)
    old = world.catalogue.post_published[posts] + 150 * HOUR < world.clock.end
    flags: Flags = chosen & big & old
    return flags


@dataclass(frozen=True)
class Counts:
    """Reported counts of one chunk, posts by polls, and when they were collected."""

    collected: Ints
    values: tuple[Ints, Ints, Ints, Ints]


def chunks(world: World) -> Iterator[Ints]:
    """Post numbers, in the chunks that have random numbers of their own."""
    for low in range(0, world.clock.posts, CHUNK):
        yield np.arange(low, min(low + CHUNK, world.clock.posts), dtype=np.int64)


def _counts(world: World, posts: Ints, random: np.random.Generator) -> Counts:
    catalogue = world.catalogue
    plan = schedule(world.clock.polls_per_post)
    shape = (len(posts), len(plan))
    ages = plan * np.exp(random.normal(0, 0.015, shape))
    collected = catalogue.post_published[posts, None] + (ages * HOUR).astype(np.int64)
    share = share_of_views(
        ages, catalogue.post_half_life[posts, None], catalogue.post_steepness[posts, None]
    )
    step = np.diff(share, axis=1, prepend=0.0)
    # Noise with mean 1 keeps the curve's level equal to the stated truth.
    noise = np.exp(random.normal(-(NOISE**2) / 2, NOISE, shape))
    final = np.exp(np.minimum(catalogue.post_log_views[posts], 18.0))
    gained = random.poisson(final[:, None] * np.maximum(step, 0) * noise)
    views = np.cumsum(gained, axis=1)
    rate = catalogue.post_rate[posts, None] * catalogue.post_split[posts]
    others = [
        np.cumsum(np.minimum(random.poisson(gained * rate[:, k, None]), gained), axis=1)
        for k in range(3)
    ]
    _correct(world, posts, plan, views, random)
    values = [_jitter(random, count, JITTER[k]) for k, count in enumerate([views, *others])]
    return Counts(collected, (values[0], values[1], values[2], values[3]))


def _correct(
    world: World, posts: Ints, plan: Floats, views: Ints, random: np.random.Generator
) -> None:
    """Take 10 to 30% of the views back for good, at one late poll (in place)."""
    late = np.flatnonzero(plan > CORRECTION_FROM_HOURS)
    share = random.uniform(0.10, 0.30, len(posts))
    pick_late = random.integers(0, 1 << 30, len(posts))
    if len(late) < 3:
        return
    for row in np.flatnonzero(corrected_posts(world, posts)):
        at = late[pick_late[row] % (len(late) - 2)]
        taken = int(views[row, at] - views[row, at - 1] * (1 - share[row]))
        views[row, at:] -= taken


def _jitter(random: np.random.Generator, counts: Ints, share: float) -> Ints:
    flat = counts.ravel().copy()
    hit = np.flatnonzero((random.random(flat.size) < share) & (flat >= JITTER_FROM))
    flat[hit] = np.floor(flat[hit] * (1 - random.uniform(0, 0.007, len(hit))))
    return flat.reshape(counts.shape)


def polls(world: World) -> Iterator[pl.DataFrame]:
    """Polls of every post: missing, late, landed twice, revised, and by external id."""
    for number, posts in enumerate(chunks(world)):
        yield from _chunk(world, posts, stream(world.clock.seed, "polls", number))


def _chunk(world: World, posts: Ints, random: np.random.Generator) -> Iterator[pl.DataFrame]:
    clock = world.clock
    counts = _counts(world, posts, random)
    shape = counts.collected.shape
    delay = random.integers(5 * SECOND, 90 * SECOND, shape)
    late = random.random(shape) < LATE
    delay = np.where(late, random.integers(6 * HOUR, 72 * HOUR, shape), delay)
    extracted = counts.collected + delay
    down, up = outage(clock)
    seen = random.random(shape) >= MISSING
    seen &= (counts.collected < down) | (counts.collected >= up)
    seen &= extracted <= clock.end
    row, slot = np.nonzero(seen)
    post, when = posts[row], counts.collected[seen]
    known = extracted[seen]
    values = [count[seen] for count in counts.values]
    kind = random.random(len(post))
    revised_at = known + random.integers(HOUR, 3 * DAY, len(post))
    twice_at = known + random.integers(MINUTE, 5 * DAY, len(post))
    nearby_after = random.integers(2 * MINUTE, 4 * MINUTE, len(post))
    revised = (kind < REVISED) & (revised_at <= clock.end)
    twice = (kind >= REVISED) & (kind < REVISED + TWICE) & (twice_at <= clock.end)
    external = (kind > 1 - BY_EXTERNAL_ID) & ~revised
    nearby = (kind > 0.5) & (kind < 0.5 + NEARBY) & (known + nearby_after <= clock.end)
    frame = _frame(world, post, row, posts, slot, when, values)
    frame = frame.with_columns(
        pl.when(~pl.Series(external)).then(name).alias(name) for name in ("metric_id", "post_id")
    ).with_columns(
        pl.when(pl.Series(external)).then(name).alias(name)
        for name in ("platform", "external_post_id")
    )
    frame = frame.with_columns(_extracted_at=times(known))
    if revised.any():
        flag = pl.Series(revised)
        yield frame.filter(flag).with_columns(
            *((pl.col(name) + 1).alias(name) for name in ("comments", "comment_count")),
            _extracted_at=times(revised_at[revised]),
            _reason=pl.lit("revised poll"),
        )
        frame = frame.with_columns(
            _fate=pl.when(flag).then(pl.lit(SUPERSEDED)).otherwise("_fate"),
            _reason=pl.when(flag).then(pl.lit("revised poll")).otherwise("_reason"),
        )
    yield frame
    yield frame.filter(pl.Series(twice)).with_columns(
        _extracted_at=times(twice_at[twice]),
        _fate=pl.lit(DUPLICATE),
        _reason=pl.lit("landed twice"),
    )
    if nearby.any():
        again = when[nearby] + nearby_after[nearby]
        close = _frame(
            world,
            post[nearby],
            row[nearby],
            posts,
            slot[nearby] + 32,
            again,
            # The second reading comes from a cache that lags behind a little.
            [_jitter(random, v[nearby], 1.0) for v in values],
        )
        yield close.with_columns(
            pl.lit(None).alias("platform"),
            pl.lit(None).alias("external_post_id"),
            _extracted_at=times(known[nearby] + nearby_after[nearby]),
            _reason=pl.lit("second poll within minutes"),
        )


def _frame(
    world: World,
    post: Ints,
    row: Ints,
    posts: Ints,
    slot: Ints,
    when: Ints,
    values: list[Ints],
) -> pl.DataFrame:
    """Poll rows with the columns of both spellings; the caller sets key and known-at."""
    seed = world.clock.seed
    platform = world.catalogue.post_platform[post]
    place = pl.Series(row.astype(np.uint32))
    drift = pl.Series(post % DRIFT_EVERY == DRIFT_REST)
    tiktok = pl.Series(platform == 0)
    # YouTube tells no shares, and some owners hide their likes: unknown, not zero.
    hide = pl.Series(post % HIDDEN_LIKES_EVERY == HIDDEN_LIKES_EVERY - 1)
    watched = np.round(values[0] * np.where(platform == 0, 7_400.0, 0.0), 0)
    completion = np.round(0.15 + 0.5 * (post % 97) / 97, 4)
    hook = np.round(0.4 + 0.5 * (post % 89) / 89, 4)
    clicked = np.round(0.02 + 0.08 * (post % 83) / 83, 4)
    frame = simulated(
        when,
        metric_id=uuids(seed, "metric", post * 64 + slot),
        post_id=uuids(seed, "post", posts).gather(place),
        collected_at=times(when),
        platform=pick(PLATFORMS, platform),
        external_post_id=external_ids(world, posts).gather(place),
        views=pl.Series(values[0]),
        likes=pl.Series(values[1]),
        comments=pl.Series(values[2]),
        shares=pl.Series(values[3]),
        watch_time_ms=pl.Series(watched),
        completion_rate=pl.Series(completion),
        three_second_rate=pl.Series(hook),
        click_through_rate=pl.Series(clicked),
        impressions=pl.Series((values[0] / clicked).astype(np.int64)),
        reach=pl.Series((values[0] * 0.8).astype(np.int64)),
        saves=pl.Series(values[0] // 60),
    )
    frame = frame.with_columns(
        pl.when(~hide).then("likes").alias("likes"),
        pl.when(pl.Series(platform != 1)).then("shares").alias("shares"),
        pl.when(tiktok).then("watch_time_ms").alias("watch_time_ms"),
        pl.when(tiktok).then("completion_rate").alias("completion_rate"),
        *(pl.when(pl.Series(platform == at)).then(n) for at, names in TOLD.items() for n in names),
    )
    pairs = {"views": "view_count", "likes": "like_count"}
    pairs |= {"comments": "comment_count", "shares": "share_count"}
    return frame.with_columns(
        pl.when(drift).then(name).alias(other) for name, other in pairs.items()
    ).with_columns(pl.when(~drift).then(name).alias(name) for name in pairs)
