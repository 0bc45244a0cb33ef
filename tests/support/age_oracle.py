"""Age metrics computed in Python and NumPy, polls in, values out: what the models must say."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

METRICS = ("views", "likes", "comments", "shares")
MIN_VIEWS = 100
#: Growth over more than this is placed on no day (the models' var placed_days).
PLACED_US = 31 * 86_400_000_000

Row = dict[str, Any]


def span(written: str) -> tuple[Decimal, Decimal]:
    """What a shortened count can stand for: "1.2M" is what rounds to it."""
    number, unit = written[:-1], {"K": 10**3, "M": 10**6, "B": 10**9}[written[-1]]
    half = Decimal(5).scaleb(-1 - len(number.partition(".")[2])) * unit
    return Decimal(number) * unit - half, Decimal(number) * unit + half


def cleaned(polls: Sequence[Row], metric: str) -> list[tuple[datetime, int]]:
    """Times and counts of the polls that show a metric, oldest first. A shortened count is
    no more than the next exact one, where that is in its span."""
    shown: list[tuple[datetime, int]] = []
    exact: int | None = None
    for poll in sorted(polls, key=lambda poll: poll["collected_at"], reverse=True):
        value = poll[metric]
        if value is None:
            continue
        document = json.loads(poll.get("counts_as_written") or "{}")
        written = document.get(metric, document.get(metric.removesuffix("s") + "_count"))
        if written is None:
            exact = value
        elif exact is not None and exact < value and span(written)[0] <= exact:
            value = exact
        shown.append((poll["collected_at"], value))
    return shown[::-1]


def series(
    polls: Sequence[Row], metric: str, published_at: datetime
) -> tuple[list[int], list[int]]:
    """Ages in whole microseconds and running maxima of the polls that show a metric."""
    points: dict[int, int] = {0: 0}
    reached = 0
    for at, count in cleaned(polls, metric):
        since = at - published_at
        age = max(0, (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds)
        reached = max(reached, count)
        points[age] = reached
    return list(points), list(points.values())


def at_age(ages: list[int], values: list[int], horizon: int) -> tuple[str, float | None]:
    """Status and value at an age in microseconds."""
    if ages[-1] < horizon:
        return "pending", None
    if horizon in ages:
        return "exact", float(values[ages.index(horizon)])
    gap, value = between(ages, values, horizon)
    if gap > horizon:
        return "gap", None
    return ("ok" if 2 * gap <= horizon else "coarse"), value


def between(ages: list[int], values: list[int], age: int) -> tuple[int, float]:
    """How far the polls around an age are apart, and the value there."""
    after = next(n for n, polled in enumerate(ages) if polled > age)
    x, y = ages[after - 1 : after + 1], values[after - 1 : after + 1]
    if x[0] == 0 or y[0] == 0:
        value = float(np.interp(age, x, y))
    else:
        value = math.exp(float(np.interp(np.log(age), np.log(x), np.log(y))))
    return x[1] - x[0], value


def growth_by_day(
    polls: Sequence[Row], metric: str, published_at: datetime
) -> tuple[dict[date, float], dict[date, float]]:
    """What a metric gained on each day from publication to the last poll that shows it, and what
    it grew by between polls too far apart to say when, by the day of the later one.

    A series falls into parts at such gaps, of which each begins with the day of its first poll.
    """
    if not cleaned(polls, metric):
        return {}, {}
    grown: dict[date, float] = {}
    unplaced: dict[date, float] = {}
    ages, values = series(polls, metric, published_at)
    begin = 0
    for place, (age, next_age) in enumerate(pairwise([*ages, math.inf])):
        if next_age - age <= PLACED_US:
            continue
        # Age 0 is a point without a poll, of which alone no day is known.
        if place or cleaned(polls, metric)[0][0] <= published_at:
            points = slice(begin, place + 1)
            before = float(values[begin]) if begin else 0.0
            part = grown_by_day(ages[points], values[points], published_at, before)
            for day, growth in part.items():
                grown[day] = grown.get(day, 0.0) + growth
        if begin:
            unplaced[
                (published_at.astimezone(UTC) + timedelta(microseconds=ages[begin])).date()
            ] = values[begin] - values[begin - 1]
        begin = place + 1
    return grown, unplaced


def grown_by_day(
    ages: list[int], values: list[int], published_at: datetime, before: float
) -> dict[date, float]:
    """What each day of these points gained, the first of them from ``before``."""
    first = published_at.astimezone(UTC) + timedelta(microseconds=ages[0])
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    grown: dict[date, float] = {}
    while (begin := (day - published_at) // timedelta(microseconds=1)) <= ages[-1]:
        end = begin + 86_400_000_000
        reached = float(values[-1]) if end >= ages[-1] else between(ages, values, end)[1]
        grown[day.date()] = reached - before
        before, day = reached, day + timedelta(days=1)
    return grown


def age_metrics(polls: Sequence[Row], published_at: datetime, horizon_hours: int) -> Row:
    """The row of one post at one age, as post_age_metrics has it."""
    found: Row = {}
    for metric in METRICS:
        status, value = at_age(
            *series(polls, metric, published_at), horizon_hours * 3600 * 1_000_000
        )
        found[metric] = value
        if metric == "views":
            found["status"] = status
    known = [found[metric] for metric in METRICS[1:] if found[metric] is not None]
    enough = found["views"] is not None and found["views"] >= MIN_VIEWS * (1 - 1e-9)
    found["engagement_rate"] = sum(known) / found["views"] if known and enough else None
    for metric in METRICS[1:]:
        rate = f"{metric.removesuffix('s')}_rate"
        some = found[metric] is not None
        found[rate] = found[metric] / found["views"] if some and enough else None
    return found


def same(left: Any, right: Any) -> bool:
    """Whether two values of a row are equal, doubles to 1e-9."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)
