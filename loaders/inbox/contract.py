"""What a row must be to be written: typed as loaders type it, and nothing that the build
would hold back for what the row itself says (``macros/rows/faults.sql``).

Whether what it refers to is there cannot be told here: that may be on its way, too.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson

from common.errors import UsageError
from loaders.inbox import SOURCE
from loaders.inbox.line import Line
from loaders.jsontext import clean_text
from loaders.keys import derived_key
from loaders.landing.metadata import new_load_id
from loaders.records import Reading
from loaders.schema import EARLIEST_TIME, REQUIRED, RESOURCES, SOURCE_KEY, Kind, spellings
from loaders.values import Typing, shown

#: Larger than anything that is counted (the models' var ``max_count``).
MAX_COUNT = 10**16
#: Counts among the columns of other kinds than ``integer``.
_COUNTS = frozenset({"watch_time_ms"})
#: Times that may lie ahead: a post is planned before it is published.
_PLANNED = frozenset({"published_at", "posted_at"})
_AHEAD = timedelta(hours=24)
_VECTORS = {"embeddings": "embedding", "agent_notes": "embedding"}
_EXPECTED: dict[Kind, str] = {
    "uuid": "a uuid",
    "text": "text",
    "json": "a JSON value",
    "text[]": "a list of texts",
    "number": "a number",
    "integer": "a whole number",
    "timestamp": "a time",
}


class InvalidValue(UsageError):
    """A row that its table's contract refuses: which field, what was expected and received."""

    def __init__(
        self, table: str, field: str, expected: str, received: str, hint: str = ""
    ) -> None:
        super().__init__(f"{table}.{field}: expected {expected}, received {received}.", hint)
        self.table, self.field = table, field
        self.expected, self.received = expected, received


def checked(table: str, values: Mapping[str, Any], at: datetime, key: str | None = None) -> Line:
    """The line that writes the row, its own key among its values.

    ``key`` is the writer's name for the row, of which one lands: the row's key is derived from
    it. Raises InvalidValue.
    """
    names = _reading(table).names
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(names)}."
            raise InvalidValue(table, str(name), "no such field", shown(values[name]), hint)
    typing = Typing()
    given = {name: _plain(value) for name, value in values.items()}
    typed, problems, written = _reading(table).read(given, typing)
    if problems:
        name, reason = problems[0]
        more = f" (wrong as well: {', '.join(n for n, _ in problems[1:])})" if problems[1:] else ""
        hint = f"{reason[:1].upper()}{reason[1:]}{more}."
        raise InvalidValue(table, name, _expected(table, name), shown(values[name]), hint)
    row = {name: one for name, one in zip(names, typed, strict=True) if one is not None}
    _check(table, row, at)
    own = SOURCE_KEY[table]
    if key is not None:
        if not isinstance(key, str) or not key.strip():
            raise InvalidValue(table, "key", "a text that names the row", shown(key))
        if own in row:
            hint = f"The row's {own} is derived from the key: leave one of them out."
            raise InvalidValue(table, "key", f"no key beside {own}", shown(key), hint)
        key = clean_text(key)
        row[own] = derived_key(SOURCE, table, key)
    _required(table, row)
    row.setdefault(own, new_load_id())
    return Line(row, at, key, written or None)


@cache
def _reading(table: str) -> Reading:
    return Reading(table)


@cache
def _kinds(table: str) -> dict[str, Kind]:
    return {column.name: column.kind for column in RESOURCES[table]}


def _expected(table: str, name: str) -> str:
    return _EXPECTED[_kinds(table)[name]]


def _plain(value: Any) -> Any:
    """Values of NumPy, and tuples and sets, as Python's own."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _check(table: str, row: dict[str, Any], at: datetime) -> None:
    """What the build would hold back as ``out_of_range``."""
    for name, value in row.items():
        kind = _kinds(table)[name]
        if (kind == "integer" or name in _COUNTS) and not 0 <= value <= MAX_COUNT:
            raise InvalidValue(table, name, f"a count from 0 to {MAX_COUNT:,}", shown(value))
        if kind == "timestamp":
            if value < EARLIEST_TIME:
                raise InvalidValue(table, name, f"a time since {EARLIEST_TIME.year}", shown(value))
            if name not in _PLANNED and value > at + _AHEAD:
                raise InvalidValue(table, name, "a time that has come", shown(value))
    if table == "published_posts" and str(row.get("platform")).strip().lower() == "all":
        hint = "'all' is what marts call their rows about all platforms."
        raise InvalidValue(table, "platform", "a platform", "'all'", hint)
    vector = row.get(_VECTORS.get(table, ""))
    if vector is not None and not _is_vector(vector):
        expected = "a list of finite numbers, as [0.1, 0.2]"
        raise InvalidValue(table, _VECTORS[table], expected, shown(vector))


def _is_vector(text: str) -> bool:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return (
        isinstance(found, list)
        and bool(found)
        and all(type(one) in (int, float) and math.isfinite(one) for one in found)
    )


def _required(table: str, row: Mapping[str, Any]) -> None:
    """What the build would hold back as ``missing_required``; a new row gets its own key."""
    for ways in REQUIRED[table]:
        if ways == ((SOURCE_KEY[table],),) or any(_given(table, row, way) for way in ways):
            continue
        names = " or ".join(" and ".join(way) for way in ways)
        raise InvalidValue(table, ways[0][0], f"a value ({names} is required)", "none")


def _given(table: str, row: Mapping[str, Any], way: Iterable[str]) -> bool:
    """Whether each column has a value that is not blank, under any of its names."""
    return all(
        any(str(row[one]).strip() for one in spellings(table, name) if one in row) for name in way
    )
