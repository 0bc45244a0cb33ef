"""One SELECT on a table of a release: filters, order, and pages that follow a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import UsageError
from repositories.columns import Relation
from repositories.filters import bind, conditions, ordered, quoted
from repositories.reader import Engine

#: Values of some columns of the row with a key; None without such a row.
LookUp = Callable[[Sequence[str], Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Order:
    column: str
    descending: bool = False


def order_of(relation: Relation, given: str | Iterable[str] | None) -> list[Order]:
    """The order asked for, completed by the key, so that it is one order and not several.

    ``"-views"`` is descending; unknown values come last either way.
    """
    names = [given] if isinstance(given, str) else list(given or ())
    found = []
    for name in names:
        if not isinstance(name, str):
            raise UsageError(
                f"{relation.name}: order_by takes names of columns, not {name!r}.",
                'For example "-created_at".',
            )
        order = Order(name.removeprefix("-"), name.startswith("-"))
        if relation.kind(order.column) in ("json", "text[]"):
            raise UsageError(
                f"{relation.name} cannot be ordered by {order.column}, which is "
                f"{relation.kind(order.column)}.",
                "Order by another column.",
            )
        found.append(order)
    have = {order.column for order in found}
    return [*found, *(Order(name) for name in relation.key if name not in have)]


def select(
    relation: Relation,
    engine: Engine,
    *,
    filters: Mapping[str, Any],
    columns: Sequence[str] | None = None,
    order_by: str | Iterable[str] | None = None,
    limit: int | None = None,
    after: Any = None,
    look_up: LookUp | None = None,
) -> tuple[str, list[Any]]:
    """The statement and its parameters; values are only ever parameters.

    ``after`` is the key of the row that the page follows (a tuple of several parts), or that
    row itself. Raises UsageError for what cannot be asked.
    """
    where = conditions(relation, filters, engine)
    order = order_of(relation, order_by)
    if after is not None:
        where.append(_beyond(relation, engine, order, after, look_up))
    taken = [_taken(relation, name) for name in columns or relation.columns]
    text = f"select {', '.join(taken)} from {quoted(relation.schema)}.{quoted(relation.name)}"
    if where:
        text += " where " + " and ".join(f"({condition})" for condition, _ in where)
    # What a filter makes the same in all rows orders nothing, and sorting costs a look-up twice
    # its time: by its whole key a row is found without.
    order = [one for one in order if not _is_one(filters, one.column)]
    if order:
        text += " order by " + ", ".join(_sorted(relation, engine, one) for one in order)
    if limit is not None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise UsageError(f"limit is {limit!r}.", "It must be a whole number from 0.")
        text += f" limit {limit}"
    return text, [value for _, values in where for value in values]


def _is_one(filters: Mapping[str, Any], column: str) -> bool:
    return column in filters or f"{column}__eq" in filters


def _taken(relation: Relation, name: str) -> str:
    """Ids and documents leave as text: other libraries have no such types."""
    kind = relation.kind(name)
    column = quoted(name)
    return f"cast({column} as text) as {column}" if kind in ("uuid", "json") else column


def _sorted(relation: Relation, engine: Engine, order: Order) -> str:
    # By the table's column, not by the text that is selected under its name.
    kind = relation.kind(order.column)
    column = ordered(order.column, kind, engine)
    if kind == "uuid":
        column = f"{quoted(relation.name)}.{column}"
    return f"{column} {'desc' if order.descending else 'asc'} nulls last"


def key_of(relation: Relation, given: Any) -> dict[str, Any]:
    """The parts of a key by column: of a value, a tuple of values, or a row that has them."""
    if hasattr(given, "model_dump"):
        given = given.model_dump()
    if isinstance(given, Mapping):
        missing = [name for name in relation.key if name not in given]
        if missing:
            raise UsageError(
                f"{relation.name}: the row to go on after has no {missing[0]}.",
                f"Its key is {', '.join(relation.key)}.",
            )
        parts = [given[name] for name in relation.key]
    else:
        parts = list(given) if isinstance(given, list | tuple) else [given]
    if len(parts) != len(relation.key):
        raise UsageError(
            f"{relation.name}: the key has {len(relation.key)} parts, not {len(parts)}.",
            f"It is {', '.join(relation.key)}.",
        )
    return {
        name: None if part is None else bind(f"{relation.name}.{name}", relation.kind(name), part)
        for name, part in zip(relation.key, parts, strict=True)
    }


def _beyond(
    relation: Relation, engine: Engine, order: list[Order], after: Any, look_up: LookUp | None
) -> tuple[str, list[Any]]:
    """Rows that come after one row in an order in which nulls are last."""
    key = key_of(relation, after)
    columns = [one.column for one in order]
    values: Mapping[str, Any] = key
    if set(columns) != set(relation.key):
        assert look_up is not None
        found = look_up(columns, key)
        if found is None:
            raise UsageError(
                f"{relation.name} has no row with the key {', '.join(map(str, key.values()))} to "
                "go on after.",
                "Take the key of the last row of the page before, from the same release.",
            )
        values = found
    text, parameters = "1 = 0", list[Any]()
    for one in reversed(order):
        kind = relation.kind(one.column)
        name, value = quoted(one.column), values[one.column]
        if value is None:
            # Nulls are last: only its equals can follow.
            text = f"{name} is null and ({text})"
            continue
        value = bind(f"{relation.name}.{one.column}", kind, value)
        compared = f"{ordered(one.column, kind, engine)} {'<' if one.descending else '>'} ?"
        text = f"{compared} or {name} is null or ({name} = ? and ({text}))"
        parameters = [value, value, *parameters]
    return text, parameters
