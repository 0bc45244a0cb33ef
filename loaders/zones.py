"""Time zones by the names that people give."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from common.errors import UsageError


def zone_named(name: str | None) -> tzinfo:
    """The time zone of a name like ``Europe/Berlin``; UTC for None. UsageError for no zone."""
    if name in (None, "UTC"):
        return UTC
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"There is no time zone '{name}'.",
            "Use a name like Europe/Berlin or America/New_York.",
        ) from None


def is_utc(name: str) -> bool:
    """Whether clocks of the zone never differ from UTC; False for a name nobody knows."""
    try:
        zone = zone_named(name)
    except UsageError:
        return False
    # Zones that are UTC in winter only, or were it only in our time, are not.
    return all(
        not zone.utcoffset(datetime(year, month, 1)) for year in (1990, 2026) for month in (1, 7)
    )


def is_ambiguous(moment: datetime, zone: tzinfo) -> bool:
    """Whether clocks of the zone showed this time twice, as when summer time ends."""
    first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second
