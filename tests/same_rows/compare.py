"""Saved tables compared as multisets of rows, columns by name.

Keys, text, integers and times are equal exactly; doubles to 1e-9 relative, JSON as parsed
values with the same for its numbers, lists element by element.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

TOLERANCE = 1e-9
#: Rows of a table that are shown, and columns of a row that stands on one side only.
SHOWN_ROWS = 5
SHOWN_COLUMNS = 8
#: Columns that make a key are at the beginning of a table.
KEY_COLUMNS = 6

Row = tuple[Any, ...]


@dataclass
class Verdict:
    """What became of one table; as text, its line and the rows below it."""

    table: str
    state: str
    equal: bool = True
    lines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n    ".join([f"{self.table:<40} {self.state}", *self.lines])


def compare(before: Path, after: Path) -> Iterator[Verdict]:
    """A verdict for each table that is on either side, in order of names."""
    old, new = ({file.stem for file in folder.glob("*.parquet")} for folder in (before, after))
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in sorted(old | new):
            if table not in old:
                yield Verdict(table, "NEW table")
            elif table not in new:
                yield Verdict(table, "MISSING: the table is gone", equal=False)
            else:
                yield _Tables(connection, before, after, table).verdict()


class _Tables:
    """One table on both sides."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, before: Path, after: Path, table: str
    ) -> None:
        self.connection = connection
        self.table = table
        for side, folder in (("old", before), ("new", after)):
            file = str(folder / f"{table}.parquet").replace("'", "''")
            connection.execute(f"create or replace temp view {side} as from '{file}'")
        self.kinds = self._kinds("old")
        self.new_kinds = self._kinds("new")
        self.columns = [name for name in self.kinds if self._is_comparable(name)]

    def _kinds(self, side: str) -> dict[str, str]:
        return {row[0]: row[1] for row in self.connection.execute(f"describe {side}").fetchall()}

    def _is_comparable(self, name: str) -> bool:
        return self.kinds[name] == self.new_kinds.get(name)

    def verdict(self) -> Verdict:
        """Most rows are equal to the last bit; the engine finds those, and the rest is small."""
        lines = [f"gone: column {name}" for name in self.kinds if name not in self.new_kinds]
        lines += [
            f"changed: column {name} was {self.kinds[name]}, is {self.new_kinds[name]}"
            for name in self.kinds
            if name in self.new_kinds and not self._is_comparable(name)
        ]
        equal = not lines
        lines += [f"new: column {name}" for name in self.new_kinds if name not in self.kinds]
        counts = [self._count("old"), self._count("new")]
        only_old, only_new = self._unmatched(self._rest("old", "new"), self._rest("new", "old"))
        state = f"{counts[0]:,} rows"
        if only_old or only_new:
            equal = False
            state = f"{counts[0]:,} and {counts[1]:,} rows"
            lines += self._explained(only_old, only_new)
        return Verdict(self.table, f"{'equal' if equal else 'DIFFERENT'}: {state}", equal, lines)

    def _count(self, side: str, what: str = "*") -> int:
        found = self.connection.execute(f"select count({what}) from {side}").fetchone()
        return int(found[0]) if found else 0

    def _rest(self, side: str, other: str) -> list[Row]:
        """Rows of a side that the other has not, or not as often."""
        names = ", ".join(_quoted(name) for name in self.columns)
        return self.connection.execute(
            f"select {names} from {side} except all select {names} from {other}"
        ).fetchall()

    def _unmatched(self, old: list[Row], new: list[Row]) -> tuple[list[Row], list[Row]]:
        """Both without the pairs of rows whose numbers are close and all else is equal."""
        soft = [i for i, name in enumerate(self.columns) if _is_soft(self.kinds[name])]
        hard = [i for i in range(len(self.columns)) if i not in soft]
        documents = {i for i in soft if self.kinds[self.columns[i]] == "JSON"}

        def alike(row: Row) -> str:
            return repr([row[i] for i in hard])

        def values(row: Row) -> list[Any]:
            return [_parsed(row[i]) if i in documents else row[i] for i in soft]

        waiting: dict[str, list[tuple[list[Any], Row]]] = defaultdict(list)
        for row in new:
            waiting[alike(row)].append((values(row), row))
        only_old = []
        for row in old:
            candidates, mine = waiting[alike(row)], values(row)
            for place, (theirs, _) in enumerate(candidates):
                if close(mine, theirs):
                    del candidates[place]
                    break
            else:
                only_old.append(row)
        return only_old, [row for candidates in waiting.values() for _, row in candidates]

    def _explained(self, old: list[Row], new: list[Row]) -> Iterator[str]:
        """How often each column differs, then the first rows; rows of one key are shown as one."""
        # The engine gives rows in any order.
        old, new = sorted(old, key=repr), sorted(new, key=repr)
        key = self._key()
        theirs = {row[:key]: row for row in new} if key else {}
        pairs = [(row, theirs[row[:key]]) for row in old if row[:key] in theirs]
        paired = {repr(row) for pair in pairs for row in pair}
        changed = [(row, self._changes(row, other)) for row, other in pairs]
        for name, count in Counter(name for _, found in changed for name in found).most_common():
            yield f"{name} differs in {count:,} rows"
        for row, found in changed[:SHOWN_ROWS]:
            yield f"{self._named(row, key)}: " + ", ".join(found.values())
        for side, rows in (("before", old), ("after", new)):
            alone = [row for row in rows if repr(row) not in paired]
            if alone:
                yield f"{len(alone):,} rows only {side}"
            for row in alone[:SHOWN_ROWS]:
                yield f"only {side}: {self._named(row, SHOWN_COLUMNS)}"

    def _key(self) -> int:
        """How many of the first columns tell every row of both sides; 0 where none do."""
        for length in range(1, min(KEY_COLUMNS, len(self.columns)) + 1):
            columns = self.columns[:length]
            if any(_is_soft(self.kinds[name]) or "[" in self.kinds[name] for name in columns):
                return 0
            row = f"distinct row({', '.join(_quoted(name) for name in columns)})"
            if all(self._count(side, row) == self._count(side) for side in ("old", "new")):
                return length
        return 0

    def _changes(self, old: Row, new: Row) -> dict[str, str]:
        return {
            name: f"{name} {_shown(a)} -> {_shown(b)}"
            for name, a, b in zip(self.columns, old, new, strict=True)
            if not close(*((_parsed(a), _parsed(b)) if self.kinds[name] == "JSON" else (a, b)))
        }

    def _named(self, row: Sequence[Any], length: int) -> str:
        named = zip(self.columns[:length], row, strict=False)
        return ", ".join(f"{name}={_shown(value)}" for name, value in named)


def close(left: Any, right: Any) -> bool:
    """Equal, but for what the last digits of doubles may differ by."""
    if isinstance(left, float) or isinstance(right, float):
        if not (_is_number(left) and _is_number(right)):
            return False
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or math.isclose(left, right, rel_tol=TOLERANCE)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(close(left[name], right[name]) for name in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(close, left, right))
    # True is no 1, as JSON tells them apart.
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_soft(kind: str) -> bool:
    """Whether values that differ may be the same."""
    return kind.removesuffix("[]") in ("DOUBLE", "FLOAT", "JSON")


def _parsed(document: str | None) -> Any:
    """In a list, so that a document that says null is not the same as none."""
    return None if document is None else [json.loads(document)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shown(value: Any, limit: int = 60) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
