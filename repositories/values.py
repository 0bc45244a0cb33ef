"""Values of either engine as plain ones: what JSON takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


def plain(value: Any) -> Any:
    """A value as JSON takes it: decimals, uuids as text, times ISO 8601 with Z, NaN null."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        at = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return at.isoformat().replace("+00:00", "Z")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + " s"
    return str(value)


def parsed(text: Any) -> Any:
    """A JSON column's text as values; orjson reads what both engines write."""
    import orjson

    if not isinstance(text, str):
        return plain(text)
    try:
        return plain(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text


def whole(value: Any) -> Any:
    """``sum()`` of integers is numeric on Postgres, but a whole number still."""
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        return int(value)
    return plain(value)


def converted(
    rows: list[tuple[Any, ...]], readers: Sequence[Callable[[Any], Any]]
) -> list[tuple[Any, ...]]:
    return [tuple(read(value) for read, value in zip(readers, row, strict=True)) for row in rows]
