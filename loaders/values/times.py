"""Times: ISO 8601, unix time by magnitude, YYYYMMDD, or a stated format."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from loaders.values.base import NotTyped, Typing, is_unknown, shown

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_timestamp(value: Any, typing: Typing) -> datetime | None:
    if value is None or is_unknown(value, typing):
        return None
    try:
        moment = _moment(value, typing)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=typing.time_zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, NotTyped):
            raise
        raise NotTyped(f"{shown(value)} is not a possible time") from None


def _moment(value: Any, typing: Typing) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        text = value.strip()
        if typing.time_format is not None:
            try:
                return datetime.strptime(text, typing.time_format)
            except ValueError:
                wanted = f"does not match the time format {shown(typing.time_format)}"
                raise NotTyped(f"{shown(value)} {wanted}") from None
        if re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII):
            if len(text) == 8 and text.isdigit():
                return datetime(int(text[:4]), int(text[4:6]), int(text[6:]))
            return _unix(Decimal(text), value)
        if text.upper().endswith(" UTC"):
            text = text[:-4].rstrip() + "+00:00"
        return datetime.fromisoformat(text)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise NotTyped(f"{shown(value)} is not a possible time")
        if 19000101 <= value <= 21001231 and value == int(value):
            # As unix seconds these are days in 1970, before every platform.
            digits = str(int(value))
            return datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return _unix(Decimal(value), value)
    raise NotTyped(f"{shown(value)} is not a time")


def _unix(number: Decimal, value: Any) -> datetime:
    """Seconds, milliseconds or microseconds since 1970, told apart by magnitude."""
    size = abs(number)
    if size < 10**11:
        micros = number * 1_000_000
    elif size < 10**14:
        micros = number * 1_000
    elif size < 10**17:
        micros = number
    else:
        raise NotTyped(f"{shown(value)} is not a possible time")
    return EPOCH + timedelta(microseconds=int(micros))
