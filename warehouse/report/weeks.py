"""The last week against the weeks before, from the rows of analyses/week_over_week.sql."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

#: Weeks before the last one that its usual is the mean of.
BEFORE = 4
#: A week of which more than this share of the views came between polls far apart is a guess: what
#: was polled once, long after publication, seems to have grown evenly. It is compared with nothing.
GUESSED = 0.5
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Week:
    """Seven days of one platform, or of all that have news of them; changes are relative."""

    platform: str
    last_day: str
    posts: int
    views: float | None
    engagements: float | None
    #: Against the week before, and against the mean of up to four before. Weeks in which the
    #: first post was published are not whole and do not count; None without others.
    views_change: float | None
    views_against_usual: float | None
    posts_before: int | None
    engagement_rate: float | None
    engagement_rate_before: float | None
    #: Posts that were not polled again after some day of it.
    posts_open: int
    #: More than GUESSED of its views have no day that a poll tells.
    is_guess: bool = False


def last_weeks(rows: Sequence[Row]) -> list[Week]:
    """Each platform's last week; those that ended a week before the others' come last."""
    platforms = sorted({row["platform"] for row in rows})
    found = [_week(name, [row for row in rows if row["platform"] == name]) for name in platforms]
    return sorted(found, key=lambda week: (week.last_day, week.views or 0), reverse=True)


def together(rows: Sequence[Row]) -> Week | None:
    """The last week of all platforms; one without news for a week longer does not count."""
    if not rows:
        return None
    newest = {
        row["platform"]: max(one["last_day"] for one in rows if one["platform"] == row["platform"])
        for row in rows
    }
    since = (_day(max(newest.values())) - timedelta(6)).isoformat()
    summed: dict[int, dict[str, Any]] = {}
    for row in rows:
        if newest[row["platform"]] < since:
            continue
        ago = (_day(newest[row["platform"]]) - _day(row["last_day"])).days // 7
        end = (_day(max(newest.values())) - timedelta(7 * ago)).isoformat()
        total = summed.setdefault(ago, {"last_day": end, "is_whole": False})
        # A platform that began later only adds to what the others show.
        total["is_whole"] |= row["is_whole"]
        spread = (_number(row.get("spread_share")) or 0) * (_number(row["views_gained"]) or 0)
        total["views_spread"] = total.get("views_spread", 0.0) + spread
        for name in ("posts_published", "views_gained", "engagements_gained", "posts_open"):
            if row[name] is not None:
                total[name] = total.get(name, 0) + row[name]
            total.setdefault(name, None)
    for total in summed.values():
        total["spread_share"] = total["views_spread"] / (_number(total["views_gained"]) or 1)
    return _week("all", list(summed.values()))


def _week(platform: str, rows: Sequence[Row]) -> Week:
    by_end = {row["last_day"]: row for row in rows}
    end = max(by_end)
    last = by_end[end]
    ends = [(_day(end) - timedelta(7 * weeks)).isoformat() for weeks in range(1, BEFORE + 1)]
    guess = _is_guess(last)
    whole = [
        by_end[one]
        for one in ends
        if one in by_end and by_end[one]["is_whole"] and not guess and not _is_guess(by_end[one])
    ]
    before = whole[0] if whole and whole[0]["last_day"] == ends[0] else None
    usual = [_number(row["views_gained"]) for row in whole]
    known = [one for one in usual if one is not None]
    views = _number(last["views_gained"])
    return Week(
        platform=platform,
        last_day=end,
        posts=int(last["posts_published"]),
        views=views,
        engagements=_number(last["engagements_gained"]),
        views_change=_change(views, None if before is None else _number(before["views_gained"])),
        views_against_usual=_change(views, sum(known) / len(known) if known else None),
        posts_before=None if before is None else int(before["posts_published"]),
        engagement_rate=_rate(last),
        engagement_rate_before=None if before is None else _rate(before),
        posts_open=int(last["posts_open"]),
        is_guess=guess,
    )


def _is_guess(row: Row) -> bool:
    return (_number(row.get("spread_share")) or 0) > GUESSED


def _rate(row: Row) -> float | None:
    views, engagements = _number(row["views_gained"]), _number(row["engagements_gained"])
    return None if not views or engagements is None else engagements / views


def _change(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else now / before - 1


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _day(text: str) -> date:
    return date.fromisoformat(text)
