"""How old is too old: one limit for each source and table, judged against the wall clock.

The limits are those of ``seeds/stale_after.csv``, which the models read too. Builds know
nothing of the time now; whoever reads (``ace status``, ``ace check``, the report) asks here.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal

from common.errors import UsageError
from loaders.schema import ALL_RESOURCES, ASKED_SOURCES, SOURCES
from warehouse.clock import TOLERANCE
from warehouse.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from loaders.landing import Heartbeat, Load

LIMITS = PROJECT_ROOT / "seeds" / "stale_after.csv"
_HOUR = timedelta(hours=1)

#: ``ahead``: it says that it was known at a time that has not come, so nobody can tell.
#: ``unlimited``: nothing of it is expected to follow.
State = Literal["fresh", "stale", "ahead", "unlimited"]


@dataclass(frozen=True)
class Freshness:
    """A source's table: up to when it is known what the source had, and since how long."""

    source: str
    resource: str
    #: None where nothing of it could ever be read.
    last_known_at: datetime | None
    limit_hours: float | None
    state: State
    #: Hours from ``last_known_at`` to now; negative where it lies ahead.
    hours: float | None


def judge(source: str, resource: str, last: datetime | None, now: datetime) -> Freshness:
    """The state of a source's table of which the newest news was known at ``last``.

    Raises UsageError where the file of limits cannot be understood.
    """
    limit = limit_hours(source, resource)
    hours = None if last is None else (now - last) / _HOUR
    state: State = "fresh"
    if limit is None:
        state = "unlimited"
    elif last is not None and last > now + TOLERANCE:
        state = "ahead"
    elif hours is None or hours > limit:
        state = "stale"
    return Freshness(source, resource, last, limit, state, hours)


def of_landing(
    loads: Iterable[Load], heartbeats: Iterable[Heartbeat], now: datetime
) -> list[Freshness]:
    """Every source and table that ever landed, judged by what is in the landing zone."""
    newest: dict[tuple[str, str], datetime | None] = {}
    asked: dict[str, datetime] = {}
    for load in loads:
        pair = (load.source, load.resource)
        newest[pair] = _later(newest.get(pair), load.known_at_max)
        asked[load.source] = max(asked.get(load.source, load.landed_at), load.landed_at)
    for beat in heartbeats:
        asked[beat.source] = max(asked.get(beat.source, beat.landed_at), beat.landed_at)
    found = []
    for (source, resource), last in sorted(newest.items()):
        whole = asked[source] if source in ASKED_SOURCES else None
        found.append(judge(source, resource, _later(last, whole), now))
    return found


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one or other, other or one) if one or other else None  # type: ignore[type-var]


def limit_hours(source: str, resource: str) -> float | None:
    """Hours without news after which it is stale; None where nothing is expected to follow."""
    table = _limits()
    for pair in ((source, resource), (source, "*"), ("*", resource), ("*", "*")):
        if pair in table:
            return table[pair]
    return None


@cache
def _limits() -> dict[tuple[str, str], float | None]:
    try:
        with LIMITS.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{LIMITS} cannot be read: {error}.", "Restore it with git.") from None
    found: dict[tuple[str, str], float | None] = {}
    for number, row in enumerate(rows, start=2):
        pair = (row.get("source") or "", row.get("resource") or "")
        found[pair] = _hours(number, row.get("stale_after_hours") or "")
        _named(number, "source", pair[0], SOURCES)
        _named(number, "resource", pair[1], ALL_RESOURCES)
    return found


def _hours(number: int, text: str) -> float | None:
    if not text.strip():
        return None
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours < math.inf:
        raise UsageError(
            f"{LIMITS}, line {number}: stale_after_hours is '{text}'.",
            "Write a number of hours above 0; leave it empty where nothing is expected to follow.",
        )
    return hours


def _named(number: int, column: str, name: str, known: Iterable[str]) -> None:
    if name != "*" and name not in known:
        raise UsageError(
            f"{LIMITS}, line {number}: there is no {column} '{name}'.",
            f"Write * or one of: {', '.join(known)}.",
        )


def sentence(one: Freshness) -> str:
    """What is wrong with a source that is stale or ahead: since when, and its limit."""
    name = f"{one.resource} from {one.source}"
    if one.last_known_at is None:
        return f"{name} is stale: nothing of it could ever be read."
    at = f"{one.last_known_at:%Y-%m-%d %H:%M} UTC"
    if one.state == "ahead":
        return f"{name}: its newest news is of {at}, which lies ahead: a clock was or is wrong."
    ago, limit = _long(one.hours), _long(one.limit_hours)
    return f"{name} is stale: its newest news is of {at}, {ago} ago; the limit is {limit}."


def _long(hours: float | None) -> str:
    if hours is None:
        return "unknown"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def remedy(one: Freshness) -> str:
    """The next step."""
    if one.state == "ahead":
        return "'ace check' names the load; if it names none, set this machine's clock."
    again = "'ace load supabase'" if one.source in ASKED_SOURCES else "its 'ace load'"
    return (
        f"Look at the schedule of {again} or run it now; if it is not expected sooner, or not at "
        f"all, write so into {LIMITS.relative_to(PROJECT_ROOT)}."
    )
