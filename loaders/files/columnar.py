"""Tables written as one JSON object: by column, by row label, or apart from their names, as
pandas, Polars and the platforms' analytics write them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

#: Labels that pandas gives to rows: numbers, and times in milliseconds or ISO 8601; ids of
#: platforms are longer.
_LABEL = re.compile(r"-?\d{1,13}|\d{4}-\d\d-\d\d[T ]?[\d:.]*Z?", re.ASCII)
#: Where names of columns, and rows without names, are.
_NAMES = frozenset({"columns", "columnHeaders"})
_ROWS = ("data", "rows")

Record = dict[str, Any]


def rows_of(document: Record, tells: Callable[[list[str]], bool]) -> list[Record] | None:
    """The rows of a table; None for any other object. ``tells`` says whether names are those of
    the columns wanted.
    """
    # Most objects have a plain value somewhere, and are records.
    for value in document.values():
        if value is not None and not isinstance(value, dict | list):
            if _NAMES.isdisjoint(document):
                return None
            break
    return (
        _apart(document)
        or _described(document)
        or _by_label(document, tells)
        or _by_column(document, tells)
    )


def _apart(document: Record) -> list[Record] | None:
    """``{"columns": ["a", "b"], "data": [[1, 2], ...]}``"""
    for names_at in _NAMES:
        for rows_at in _ROWS:
            given, rows = document.get(names_at), document.get(rows_at)
            if not (isinstance(given, list) and isinstance(rows, list) and given and rows):
                continue
            names = [one.get("name") if isinstance(one, dict) else one for one in given]
            if all(isinstance(name, str) for name in names) and all(
                isinstance(row, list) and len(row) == len(names) for row in rows
            ):
                return [dict(zip(map(str, names), row, strict=True)) for row in rows]
    return None


def _described(document: Record) -> list[Record] | None:
    """``{"schema": {"fields": [...]}, "data": [{"index": 0, "a": 1}, ...]}``"""
    schema, rows = document.get("schema"), document.get("data")
    if not (isinstance(schema, dict) and isinstance(schema.get("fields"), list)):
        return None
    if not (isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)):
        return None
    # The row's number in the table, which it had for this file alone.
    number = {"index"} & set(schema.get("primaryKey") or [])
    return [{name: value for name, value in row.items() if name not in number} for row in rows]


def _by_label(document: Record, tells: Callable[[list[str]], bool]) -> list[Record] | None:
    """``{"a": {"0": 1, "1": 2}, "b": {...}}``, or the other way round."""
    inner = list(document.values())
    if not inner or not all(isinstance(one, dict) and one for one in inner):
        return None
    if any(one.keys() != inner[0].keys() for one in inner):
        return None
    outside, inside = list(document), list(inner[0])
    by_column = _labels(inside) and not _labels(outside)
    by_row = _labels(outside) and not _labels(inside)
    if not by_column and not by_row:
        by_column, by_row = tells(outside), tells(inside)
    if by_column == by_row:
        return None
    if by_row:
        return inner
    return [{name: document[name][label] for name in outside} for label in inside]


def _labels(names: list[str]) -> bool:
    return all(_LABEL.fullmatch(name) for name in names)


def _by_column(document: Record, tells: Callable[[list[str]], bool]) -> list[Record] | None:
    """``{"a": [1, 2], "b": [3, 4]}``, and as Polars wrote it once."""
    columns = document
    given = document.get("columns")
    if isinstance(given, list) and all(
        isinstance(one, dict) and isinstance(one.get("values"), list) for one in given
    ):
        columns = {str(one.get("name")): one["values"] for one in given}
    elif len(document) < 2 or not tells(list(document)):
        return None
    values = list(columns.values())
    if not values or not all(isinstance(one, list) and one for one in values):
        return None
    if len({len(one) for one in values}) > 1:
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
