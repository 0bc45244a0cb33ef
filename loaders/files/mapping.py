"""``--map``, ``--set`` and ``--records``: fields of a record to landing columns."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from common.errors import UsageError
from loaders.jsontext import parse_json
from loaders.schema import ALL_RESOURCES, RESOURCES, twins

#: What names of the same thing differ in, besides case: blanks (also invisible ones),
#: underscores and hyphens.
_BETWEEN_WORDS = re.compile(r"[\s_\-\u2010\u2011\u200b-\u200f\u2060\ufeff]+")
#: Names remembered: records with keys that are all different must not fill memory.
_REMEMBERED = 10_000


def near(name: str, known: Iterable[str]) -> str:
    """``Did you mean 'x'?`` for a misspelt name, or the names there are."""
    names = list(known)
    close = difflib.get_close_matches(name, names[:1000], n=2, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(f"'{n}'" for n in close) + "?"
    more = f" and {len(names) - 50:,} more" if len(names) > 50 else ""
    return "Known are: " + ", ".join(names[:50]) + more + "."


def check_table(table: str) -> None:
    """UsageError for a table that is none of the twelve."""
    if table not in RESOURCES:
        raise UsageError(f"There is no table '{table}'.", near(table, ALL_RESOURCES))


def at_path(record: Any, path: str) -> Any:
    """The value at ``a.b.0.c``, or the list of those at ``a.*.c``; None where there is none. A
    key that is written exactly like the whole path wins."""
    return found_at(record, path)[0]


def found_at(record: Any, path: str) -> tuple[Any, bool | None]:
    """The value at a path, and whether the record has the path. None where that cannot be told:
    a list on the way is empty or too short, or a value on the way is null.
    """
    if isinstance(record, Mapping) and path in record:
        return record[path], True
    return _walk(record, path.split("."))


def _walk(value: Any, parts: list[str]) -> tuple[Any, bool | None]:
    for place, part in enumerate(parts):
        if type(value) is dict:
            if part not in value:
                return None, False
            value = value[part]
            continue
        if isinstance(value, str) and value[:1] in ("{", "["):
            # A cell of a table that holds JSON.
            with suppress(ValueError):
                value = parse_json(value)
        if value is None:
            return None, None
        if isinstance(value, Mapping):
            if part not in value:
                return None, False
            value = value[part]
        elif isinstance(value, list) and part == "*":
            return _each(value, parts[place + 1 :])
        elif isinstance(value, list) and part.isdigit():
            if int(part) >= len(value):
                return None, None
            value = value[int(part)]
        else:
            return None, False
    return value, True


def _each(values: list[Any], rest: list[str]) -> tuple[list[Any], bool | None]:
    found: list[Any] = []
    has = set()
    for one in values:
        value, there = _walk(one, rest)
        has.add(there)
        if "*" in rest and isinstance(value, list):
            found += value
        elif value is not None:
            found.append(value)
    return found, True if True in has else False if False in has else None


def paths_in(record: Any, any_place: str, depth: int = 6) -> Iterator[str]:
    """Every path to a value of a record; ``any_place`` stands for the places of lists."""
    inside: Iterable[tuple[str, Any]] = ()
    if isinstance(record, Mapping):
        inside = ((str(name), value) for name, value in record.items())
    elif isinstance(record, list):
        inside = ((any_place, value) for value in record[:3])
    for name, value in inside:
        yield name
        if depth:
            yield from (f"{name}.{path}" for path in paths_in(value, any_place, depth - 1))


def folded(name: str) -> str:
    """What is left of a name when its spelling is left out: ``View Count`` and
    ``viewCount`` are both ``viewcount``.
    """
    return _BETWEEN_WORDS.sub("", unicodedata.normalize("NFKC", name).casefold())


class SameColumn(ValueError):
    """Two fields of one record are the same column; the message is a whole clause."""

    def __init__(self, column: str, names: Collection[str]) -> None:
        self.column = column
        self.names = list(names)
        quoted = " and ".join(f"'{name}'" for name in self.names[:3])
        super().__init__(f"{quoted} are both {column}")


def lists_in(record: Mapping[str, Any], depth: int = 4) -> list[str]:
    """Paths of the lists of objects in a record, those nearest to its top first."""
    found, below = [], []
    for name, value in record.items():
        if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            found.append(str(name))
        elif isinstance(value, Mapping) and depth > 1:
            below += [f"{name}.{path}" for path in lists_in(value, depth - 1)]
    return found + below


@dataclass(frozen=True)
class FieldMap:
    """How the fields of a record become columns of one resource.

    ``maps`` is column to path, ``sets`` column to constant: a constant fills the
    column of records that have no value for it. A field reaches the column of its
    name, however that is spelled (:func:`folded`, ``SAME``), unless a mapping says
    where the column comes from; the exact name wins over other spellings.
    """

    resource: str
    maps: dict[str, str] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = [column.name for column in RESOURCES[self.resource]]
        for option, names in (("--map", self.maps), ("--set", self.sets)):
            for name in names:
                if name not in columns:
                    raise UsageError(
                        f"{option} {name}=...: {self.resource} has no column '{name}'.",
                        near(name, columns),
                    )
        for name, path in self.maps.items():
            kind = next(c.kind for c in RESOURCES[self.resource] if c.name == name)
            if "*" in path.split(".") and kind not in ("text[]", "json"):
                raise UsageError(
                    f"--map {name}={path}: * gives a list, and {name} takes one value.",
                    f"Name one place of the list: {path.replace('*', '0')}.",
                )

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(column.name for column in RESOURCES[self.resource])

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """Folded name to column, of those that no mapping fills."""
        elsewhere = twins(self.resource).items()
        found = {folded(name): column for name, column in elsewhere}
        found.update((folded(column), column) for column in self._own)
        return {name: column for name, column in found.items() if column not in self.maps}

    @cached_property
    def _looked_up(self) -> dict[str, str | None]:
        """Column of each name met so far that is spelled otherwise; None for the rest."""
        return dict.fromkeys((*self._own, *self.maps.values()))

    @cached_property
    def _as_they_are(self) -> set[str]:
        """Those names that are no other spelling of a column: nothing to rename."""
        return {name for name, column in self._looked_up.items() if column is None}

    def _spelled_otherwise(self, name: str) -> str | None:
        try:
            return self._looked_up[name]
        except KeyError:
            column = self._spellings.get(folded(name))
        if len(self._looked_up) < _REMEMBERED:
            self._looked_up[name] = column
            if column is None:
                self._as_they_are.add(name)
        return column

    def renames(self, names: Collection[str]) -> dict[str, str]:
        """Field to column, for the fields among ``names`` that are a column's name in
        another spelling. Raises SameColumn when two are the same column and none of
        them is written exactly like it.
        """
        found: dict[str, str] = {}
        for name in names:
            column = self._spelled_otherwise(name)
            if column is None or column in names:
                continue
            if column in found.values():
                same = [n for n in names if self._spelled_otherwise(n) == column]
                raise SameColumn(column, same)
            found[name] = column
        return found

    def reached(self, names: Collection[str]) -> set[str]:
        """Columns that top-level fields of these names reach. Raises like :meth:`renames`."""
        mapped = {
            column
            for column, path in self.maps.items()
            if path in names or path.partition(".")[0] in names
        }
        taken = set(self.maps.values())
        own = {name for name in names if name in self._own and name not in taken}
        return mapped | own | set(self.renames(names).values())

    def apply(self, record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The record with columns for fields, and fields that a mapping displaced.

        Raises SameColumn, see :meth:`renames`.
        """
        values = self._renamed(record)
        if not self.maps and not self.sets:
            return values, {}
        values = dict(values)
        mapped = {column: at_path(record, path) for column, path in self.maps.items()}
        for path in self.maps.values():
            values.pop(path, None)
        displaced = {}
        for column, value in mapped.items():
            if values.get(column) is not None:
                displaced[column] = values[column]
            values[column] = value
        for column, constant in self.sets.items():
            if values.get(column) in (None, ""):
                values[column] = constant
        return values, displaced

    def _renamed(self, record: dict[str, Any]) -> dict[str, Any]:
        """Fields under the names of their columns; a field without a value claims none."""
        if record.keys() <= self._as_they_are:
            return record
        given = {name: None for name, value in record.items() if value not in (None, "")}
        renames = self.renames(given)
        if not renames:
            return record
        gone = set(renames.values())
        kept = {n: v for n, v in record.items() if n not in renames and n not in gone}
        return kept | {column: record[name] for name, column in renames.items()}

    @property
    def top_level(self) -> bool:
        """Every mapped path is a plain field name."""
        return not any("." in path for path in self.maps.values())
