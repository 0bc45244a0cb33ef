"""When versions of the Graph API end, as Meta has announced it."""

from __future__ import annotations

from datetime import date, timedelta

DEFAULT = "v25.0"
_ENDS = {"v21.0": date(2027, 1, 21), "v22.0": date(2027, 5, 20)}
_OLDEST = 21
#: So long before a version's end it is warned of.
_AHEAD = timedelta(days=90)


def warning(version: str, today: date) -> str:
    """What is to be said of the version; empty while it has time."""
    advice = f"Set ACE_INSTAGRAM_VERSION to a newer one ({DEFAULT} is the default)."
    if int(version[1:].partition(".")[0]) < _OLDEST:
        return f"Version {version} of Instagram's API has ended, or is about to. {advice}"
    end = _ENDS.get(version)
    if end is None or end - today > _AHEAD:
        return ""
    when = "ended" if end <= today else "ends"
    return f"Version {version} of Instagram's API {when} on {end:%d %B %Y}. {advice}"
