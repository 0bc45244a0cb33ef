"""Whether a source lands as much, and as often, as it used to: judged by its own past.

A day counts when it is over (UTC), as of the release; of the day that goes on only too much is
told. What a release says is the same whenever it is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

#: Days of the past that a day is compared with.
WINDOW = 28
#: Of these so many must have rows, or nothing is usual yet.
ENOUGH = 14
#: How far beyond the usual range a day has to be, in standard deviations ...
DEVIATIONS = 2.5
#: ... and how many times more or less than that range, for it to matter.
FACTOR = 1.5
#: A pause has to be so many times longer than the longest one before ...
PAUSES = 3
#: ... and so many rows have to be missing: one expects fewer to come by chance.
MISSING = 8
#: Standard deviations between the 10th and the 90th of 100 values of a normal distribution.
_BETWEEN = 2.563
_DAY = timedelta(days=1)

State = Literal["usual", "dropped", "rose", "stopped", "unknown"]


@dataclass(frozen=True)
class Volume:
    """What a source's table landed on a day, and what it usually does."""

    source: str
    resource: str
    day: date
    rows: int
    #: Between these are 80 of 100 of its days with rows; None where too few are known.
    usual_low: float | None
    usual_high: float | None
    #: Days over without rows, up to ``day``, and the most there were before.
    quiet_days: int
    longest_pause: int | None
    state: State


def judge(
    source: str,
    resource: str,
    landed: Mapping[date, int],
    as_of: datetime,
    *,
    expects_more: bool = True,
) -> Volume:
    """``landed`` has the rows of each day that had any; its first is left out as a beginning.

    Only where it ``expects_more`` can it have stopped.
    """
    today = as_of.date()
    yesterday = today - _DAY
    began = min((day for day, rows in landed.items() if rows), default=today)
    past = _past(landed, began, yesterday)
    quiet, longest = _pauses([*past, landed.get(yesterday, 0)])
    said = _of_day(source, resource, today, landed.get(today, 0), _past(landed, began, today))
    if said.state != "rose":
        said = _of_day(source, resource, yesterday, landed.get(yesterday, 0), past)
    state = said.state
    if quiet and said.usual_low is not None:
        expected = quiet * sum(past) / max(1, len(past) - quiet + 1)
        has_stopped = expects_more and quiet > PAUSES * longest and expected >= MISSING
        state = "stopped" if has_stopped else "usual"
    return Volume(
        source, resource, said.day, said.rows, said.usual_low, said.usual_high,
        quiet, longest if said.usual_low is not None else None, state,
    )  # fmt: skip


def _past(landed: Mapping[date, int], began: date, day: date) -> list[int]:
    """The rows of each day of the window before a day, oldest first."""
    first = max(began + _DAY, day - WINDOW * _DAY)
    return [landed.get(first + n * _DAY, 0) for n in range(max(0, (day - first).days))]


def _pauses(rows: list[int]) -> tuple[int, int]:
    """Days without rows at the end, and the longest such pause between days with some."""
    pauses, pause = [0], 0
    for count in rows:
        if count:
            pauses.append(pause)
            pause = 0
        else:
            pause += 1
    return pause, max(pauses)


def _of_day(source: str, resource: str, day: date, rows: int, past: list[int]) -> Volume:
    """A day beside those with rows; pauses are not its matter."""
    some = sorted(count for count in past if count)
    low = high = None
    state: State = "unknown"
    if len(some) >= ENOUGH:
        low, high = _quantile(some, 0.1), _quantile(some, 0.9)
        state = "usual"
        # Of twice the root of a count of chance events the standard deviation is about 1.
        at, bottom, top = (2 * math.sqrt(value) for value in (rows, low, high))
        reach = DEVIATIONS * max(1.0, (top - bottom) / _BETWEEN)
        if rows and at < bottom - reach and rows * FACTOR < low:
            state = "dropped"
        elif at > top + reach and rows > FACTOR * high:
            state = "rose"
    return Volume(source, resource, day, rows, low, high, 0, None, state)


def _quantile(ordered: list[int], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def sentence(one: Volume) -> str:
    """What is unlike its past, for states other than usual and unknown."""
    usually = f"usually {_about(one.usual_low)} to {_about(one.usual_high)} rows"
    if one.state == "stopped":
        days = "1 day" if one.quiet_days == 1 else f"{one.quiet_days} days"
        paused = f"of {one.longest_pause} at most" if one.longest_pause else "none"
        return (
            f"{one.resource} from {one.source}: nothing landed for {days} up to "
            f"{one.day:%Y-%m-%d}; {usually} a day, and of pauses {paused}."
        )
    only = "only " if one.state == "dropped" else ""
    return (
        f"{one.resource} from {one.source}: {only}{one.rows:,} "
        f"row{'' if one.rows == 1 else 's'} landed on {one.day:%Y-%m-%d}; {usually}."
    )


def _about(value: float | None) -> str:
    return "none" if value is None else f"{value:,.0f}"


def volumes(ask: Callable[[str], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Every source and table of a release; ``problem`` is None where all is as usual.

    ``ask`` gives the rows of a query to it.
    """
    found = ask(
        "select source, resource, landed_at, accepted from meta.loads "
        "where landed_at <= (select as_of from meta.release) order by source, resource"
    )
    if not found:
        return []
    (release,) = ask("select as_of from meta.release")
    limited = {
        (row["source"], row["resource"])
        for row in ask("select * from marts.feature_freshness")
        # Releases of older versions do not say it.
        if row.get("stale_after_hours") is not None
    }
    as_of = datetime.fromisoformat(release["as_of"]).astimezone(UTC)
    landed: dict[tuple[str, str], dict[date, int]] = {}
    for row in found:
        days = landed.setdefault((row["source"], row["resource"]), {})
        day = datetime.fromisoformat(row["landed_at"]).astimezone(UTC).date()
        days[day] = days.get(day, 0) + row["accepted"]
    said = []
    for (source, resource), days in landed.items():
        expects_more = (source, resource) in limited
        one = judge(source, resource, days, as_of, expects_more=expects_more)
        problem = None if one.state in ("usual", "unknown") else sentence(one)
        said.append(vars(one) | {"day": one.day.isoformat(), "problem": problem})
    return said
