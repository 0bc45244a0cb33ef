"""Filters of ``find``: keywords to conditions, values to parameters.

``category="Beauty"`` is equality and ``None`` is null; an operator follows the column after two
underscores: ``views__gte=1000``. A comparison with a column that is null is not true, as in
SQL, also of ``ne`` and ``not_in``. Text is compared exactly, by code points, on every engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.errors import UsageError
from repositories.columns import Kind, Relation, nearest
from repositories.reader import Engine

_ORDERED: tuple[Kind, ...] = ("uuid", "text", "integer", "number", "timestamp", "date")
_EQUAL: tuple[Kind, ...] = (*_ORDERED, "boolean")
_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
#: Operator to the kinds of columns that have it.
OPERATORS: dict[str, tuple[Kind, ...]] = {
    "eq": _EQUAL,
    "ne": _EQUAL,
    **dict.fromkeys(_COMPARED, _ORDERED),
    "in": _EQUAL,
    "not_in": _EQUAL,
    "null": (*_EQUAL, "json", "text[]"),
    "has": ("text[]",),
    "contains": ("text",),
    "startswith": ("text",),
}
#: Values of one ``in``: engines limit the parameters of a statement.
MOST_VALUES = 10_000
_EXPECTED: dict[Kind, str] = {
    "uuid": "a uuid",
    "text": "text",
    "integer": "a number",
    "number": "a number",
    "boolean": "True or False",
    "timestamp": "a time (datetime, or text in ISO 8601)",
    "date": "a date (date, or text as 2026-01-31)",
    "text[]": "text",
}

Condition = tuple[str, list[Any]]


def conditions(relation: Relation, filters: Mapping[str, Any], engine: Engine) -> list[Condition]:
    """SQL with ``?`` and its parameters for each filter; UsageError says what is wrong."""
    return [_condition(relation, name, value, engine) for name, value in filters.items()]


def _condition(relation: Relation, name: str, value: Any, engine: Engine) -> Condition:
    column, found, operator = name.partition("__")
    kind = relation.kind(column)
    operator = operator if found else "eq"
    if operator not in OPERATORS:
        raise UsageError(
            f"{relation.name}.{column} has no operator '{operator}'.",
            nearest(operator, (o for o, kinds in OPERATORS.items() if kind in kinds)),
        )
    what = f"{relation.name}.{name}"
    if value is None and operator in ("eq", "ne"):
        return f"{quoted(column)} is {'' if operator == 'eq' else 'not '}null", []
    if kind not in OPERATORS[operator]:
        can = ", ".join(o for o, kinds in OPERATORS.items() if kind in kinds)
        raise UsageError(f"{what}: a column of {kind} cannot be compared so.", f"It takes: {can}.")
    name = quoted(column)
    if operator == "null":
        if not isinstance(value, bool):
            raise _wrong(what, "True or False", value)
        return f"{name} is {'' if value else 'not '}null", []
    if operator in ("in", "not_in"):
        return _among(what, name, kind, value, negated=operator == "not_in")
    bound = bind(what, kind, value)
    if operator in _COMPARED:
        return f"{ordered(column, kind, engine)} {_COMPARED[operator]} ?", [bound]
    if operator == "has":
        return f"? = any({name})", [bound]
    if operator == "contains":
        return f"strpos({name}, ?) > 0", [bound]
    if operator == "startswith":
        return f"starts_with({name}, ?)", [bound]
    return f"{name} {'=' if operator == 'eq' else '<>'} ?", [bound]


def _among(what: str, name: str, kind: Kind, values: Any, *, negated: bool) -> Condition:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise _wrong(what, "a list of values", values)
    bound = [bind(what, kind, value) for value in values]
    if len(bound) > MOST_VALUES:
        raise UsageError(
            f"{what}: {len(bound):,} values; {MOST_VALUES:,} can be asked for at a time.",
            "Ask for them in parts.",
        )
    if not bound:
        return (f"{name} is not null" if negated else "1 = 0"), []
    marks = ", ".join("?" * len(bound))
    return f"{name} {'not ' if negated else ''}in ({marks})", bound


def quoted(column: str) -> str:
    return f'"{column}"'


def ordered(column: str, kind: Kind, engine: Engine) -> str:
    """The column as it is ordered and compared: text by code points."""
    if kind == "text" and engine == "postgres":
        return f'{quoted(column)} collate "C"'
    return quoted(column)


def bind(what: str, kind: Kind, value: Any) -> Any:
    """The value as a parameter for a column of the kind; UsageError for another kind."""
    if hasattr(value, "item"):
        value = value.item()  # NumPy's
    found = _bound(kind, value)
    if found is None:
        raise _wrong(what, _EXPECTED.get(kind, kind), value)
    return found


def _bound(kind: Kind, value: Any) -> Any:
    """None for a value of another kind."""
    if kind == "uuid":
        return _uuid(value)
    if kind in ("text", "text[]"):
        return str(value) if isinstance(value, str) and "\x00" not in value else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind in ("integer", "number"):
        return _number(kind, value)
    if kind == "timestamp":
        return _time(value)
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if type(value) is date else None


def _uuid(value: Any) -> str | None:
    if isinstance(value, UUID):
        return str(value)
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _number(kind: Kind, value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if not math.isfinite(value):
        return None
    if kind == "integer" and value == int(value):
        return int(value) if -(2**63) <= value < 2**63 else None
    return float(value)


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if type(value) is date:
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None


def _wrong(what: str, expected: str, value: Any) -> UsageError:
    shown = repr(value)
    return UsageError(
        f"{what}: expected {expected}, received {shown if len(shown) < 80 else shown[:77] + '...'}."
    )
