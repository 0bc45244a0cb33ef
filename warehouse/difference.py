"""What differs between two releases: rows by their keys, and the numbers people look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from repositories.marts import MARTS
from repositories.reader import Reader
from repositories.warehouse import MODELS

#: Numbers whose movement is shown, and the table each is of.
NUMBERS: tuple[tuple[str, str, str], ...] = (
    ("posts", "marts.post_performance", "count(*)"),
    ("views", "marts.post_performance", "sum(views)"),
    ("engagements", "marts.post_performance", "sum(engagements)"),
    ("products", "canonical.products", "count(*)"),
    ("polls", "canonical.performance_metrics", "count(*)"),
    ("rows quarantined", "quarantine.rows", "count(*)"),
)
#: Tables and what makes a row's key in them.
KEYS: dict[str, tuple[str, ...]] = {
    **{f"canonical.{one.TABLE}": (one.KEY,) for one in MODELS},
    **{f"marts.{name}": mart.key for name, mart in MARTS.items()},
}


def tables(before: Reader, after: Reader) -> Iterator[dict[str, Any]]:
    """Each table with a key that both have, or one of them: rows added, removed and changed.

    A row is changed where any column differs that both releases have; columns of one only are
    named. Rows are hashed by the engine and merged in order: memory does not grow with them.
    """
    old, new = _columns(before), _columns(after)
    for name, key in KEYS.items():
        if name not in old and name not in new:
            continue
        here, there = old.get(name, []), new.get(name, [])
        shared = [one for one in here if one in there]
        counts = {"added": 0, "removed": 0, "changed": 0, "same": 0}
        if name in old and name in new and set(key) <= set(shared):
            for what in _merged(_hashes(before, name, key, shared),
                                _hashes(after, name, key, shared)):  # fmt: skip
                counts[what] += 1
        else:
            counts["removed"] = _rows(before, name) if name in old else 0
            counts["added"] = _rows(after, name) if name in new else 0
        yield {
            "table": name,
            **counts,
            "columns_added": [one for one in there if one not in here] if here else [],
            "columns_removed": [one for one in here if one not in there] if there else [],
        }


def numbers(before: Reader, after: Reader) -> list[dict[str, Any]]:
    """The numbers of both releases; null where a release has no such table, or no value."""
    return [
        {"number": name, "before": _value(before, table, sql), "after": _value(after, table, sql)}
        for name, table, sql in NUMBERS
    ]


def _value(reader: Reader, table: str, sql: str) -> int | None:
    if table not in reader.tables():
        return None
    ((value,),) = reader.query(f"select {sql} from {table}").rows
    return None if value is None else int(value)


def _rows(reader: Reader, table: str) -> int:
    return _value(reader, table, "count(*)") or 0


def _columns(reader: Reader) -> dict[str, list[str]]:
    from repositories.columns import SQL

    found: dict[str, list[str]] = {}
    for schema, table, column, _ in reader.query(SQL).rows:
        found.setdefault(f"{schema}.{table}", []).append(column)
    return found


def _hashes(
    reader: Reader, table: str, key: tuple[str, ...], columns: list[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Key and hash of every row, in the order of Python's texts."""
    collation = ' collate "C"' if reader.engine == "postgres" else ""
    texts = [f'coalesce(cast("{one}" as varchar), chr(1)){collation}' for one in key]
    values = ", ".join(f'cast("{one}" as varchar)' for one in sorted(columns))
    answer = reader.stream(
        f"select {', '.join(texts)}, md5(cast(row({values}) as varchar)) from {table} "
        f"order by {', '.join(str(place) for place in range(1, len(key) + 1))}"
    )
    for batch in answer.batches:
        for row in batch:
            yield tuple(row[:-1]), row[-1]


def _merged(
    old: Iterator[tuple[tuple[str, ...], str]], new: Iterator[tuple[tuple[str, ...], str]]
) -> Iterator[str]:
    one, other = next(old, None), next(new, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            yield "removed"
            one = next(old, None)
        elif one is None or other[0] < one[0]:
            yield "added"
            other = next(new, None)
        else:
            yield "same" if one[1] == other[1] else "changed"
            one, other = next(old, None), next(new, None)
