"""Numbers, times and names as the page shows them: the filters of its templates."""

from __future__ import annotations

from datetime import datetime
from math import exp

#: Shown where a value is not known; never 0.
UNKNOWN = "\N{EN DASH}"


def compact(value: float | None) -> str:
    """``1.2M`` for 1,234,567: three digits say enough beside a curve."""
    if value is None:
        return UNKNOWN
    for limit, size, unit in ((1e12, 1e12, "T"), (1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            scaled = value / size
            return f"{scaled:.0f}{unit}" if abs(scaled) >= 99.95 else f"{scaled:.1f}{unit}"
    return f"{value:,.0f}"


def whole(value: int) -> str:
    """``1,234,567``."""
    return f"{value:,}"


def shortened(words: str | None, most: int = 80) -> str:
    """The first line or so of a text; '' for none."""
    text = " ".join((words or "").split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:.1f}%"


def signed(share: float | None) -> str:
    """``+12%`` for 0.12: a relative difference."""
    return UNKNOWN if share is None else f"{100 * share:+.0f}%"


def arrow(change: float | None) -> str:
    """``+12%`` for 0.12, for the eye with an arrow."""
    if change is None:
        return UNKNOWN
    mark = (
        "\N{BLACK UP-POINTING SMALL TRIANGLE}"
        if change > 0
        else ("\N{BLACK DOWN-POINTING SMALL TRIANGLE}")
    )
    return f"{mark} {signed(change)}" if abs(change) >= 0.005 else "no change"


def relative(log_ratio: float | None) -> float | None:
    """The relative difference whose logarithm is given."""
    return None if log_ratio is None else exp(log_ratio) - 1


def day(moment: str | None) -> str:
    """``31 Oct 2026``."""
    return UNKNOWN if moment is None else f"{_parsed(moment):%-d %b %Y}"


def minute(moment: str) -> str:
    """``31 Oct 2026, 23:30``."""
    return f"{_parsed(moment):%-d %b %Y, %H:%M}"


def hours(value: float | None) -> str:
    """``40 min``, ``5.2 h``, ``12 d``."""
    if value is None:
        return UNKNOWN
    if value < 1:
        return f"{60 * value:.0f} min"
    return f"{value:.1f} h" if value < 48 else f"{value / 24:,.0f} d"


def platform_class(platform: str) -> str:
    """The CSS class that colours a platform."""
    return f"on-{platform}" if platform in ("tiktok", "youtube", "instagram") else "on-other"


def platform_colour(platform: str) -> str:
    """The same for what has no class."""
    return f"var(--{platform_class(platform).removeprefix('on-')})"


def change_class(change: float | None) -> str:
    """The CSS class of a rise or a fall that is worth a colour."""
    if change is None or abs(change) < 0.05:
        return ""
    return "up" if change > 0 else "down"


def _parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
