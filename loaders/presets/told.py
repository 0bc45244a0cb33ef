"""What exports tell of a post beyond its counts, read into the units of ``schema.TOLD``.

A reader gives None for what it does not understand: the cell then stays in the extra, since
what a number means must not be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Reader = Callable[[Any], Any]

_NUMBER = r"\d+(?:\.\d+)?"
_PERCENT = re.compile(rf"({_NUMBER})\s*(%?)\Z", re.ASCII)
#: 0:01:05 or 1:05.
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)\Z", re.ASCII)
#: 1h 2m 3s, 11.5s.
_SPELT = re.compile(
    rf"(?:(\d+)\s*h(?:ours?)?\s*)?(?:(\d+)\s*m(?:in)?\s*)?(?:({_NUMBER})\s*s(?:ec)?)?\Z",
    re.ASCII | re.IGNORECASE,
)


def as_it_is(value: Any) -> Any:
    """A count: typing reads it."""
    return value


def share_of_percent(value: Any, *, signed: bool = False) -> float | None:
    """0.045 of 4.5 and "4.5%"; None for what is no number from 0 to 100, and with ``signed``
    for what does not say that it is of a hundred.
    """
    found = _PERCENT.match(_text(value))
    if found is None or (signed and not found[2]):
        return None
    share = Decimal(found[1]) / 100
    return float(share) if share <= 1 else None


def share_of_signed_percent(value: Any) -> float | None:
    """0.045 of "4.5%": of a column that does not say whether its numbers are percentages."""
    return share_of_percent(value, signed=True)


def seconds_of(value: Any) -> float | None:
    """65 of "0:01:05", "1:05" and "1m 5s"; None for a number that does not say its unit."""
    text = _text(value)
    found = _CLOCK.match(text) or (_SPELT.match(text) if text else None)
    if found is None:
        return None
    hours, minutes, seconds = (Decimal(part or 0) for part in found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def seconds_of_milliseconds(value: Any) -> float | None:
    """11.5 of 11500."""
    text = _text(value)
    return float(Decimal(text) / 1000) if re.fullmatch(_NUMBER, text, re.ASCII) else None


def share_not_skipped(value: Any) -> float | None:
    """The share that a rate of skipping leaves.

    Instagram documents a percentage and has been seen to send shares: hardly any video is
    skipped by less than one viewer in a hundred, so up to 1 it is a share.
    """
    text = _text(value)
    if not re.fullmatch(_NUMBER, text, re.ASCII) or Decimal(text) > 100:
        return None
    skipped = Decimal(text)
    return float(1 - (skipped if skipped <= 1 else skipped / 100))


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
