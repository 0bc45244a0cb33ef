"""``--map``, ``--set`` and ``--records``: fields of a record to landing columns."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loaders.errors import UsageError
from loaders.schema import ALL_RESOURCES, RESOURCES, identifying

_MISSING = object()


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
    """The value at ``a.b.0.c``; None where there is none. A key that is written
    exactly like the whole path wins."""
    if isinstance(record, Mapping) and path in record:
        return record[path]
    value = record
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part, _MISSING)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
        if value is _MISSING:
            return None
    return value


@dataclass(frozen=True)
class FieldMap:
    """How the fields of a record become columns of one resource.

    ``maps`` is column to path, ``sets`` column to constant: a constant fills the
    column of records that have no value for it.
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

    @property
    def plain(self) -> bool:
        """Nothing is renamed or filled: columns are fields."""
        return not self.maps and not self.sets

    def apply(self, record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The record with columns for fields, and fields that a mapping displaced."""
        if self.plain:
            return record, {}
        values = dict(record)
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

    @property
    def top_level(self) -> bool:
        """Every mapped path is a plain field name."""
        return not any("." in path for path in self.maps.values())

    def fields(self) -> set[str]:
        """Names of a record's top-level fields that reach a column."""
        return self._top({column.name for column in RESOURCES[self.resource]}, self.maps)

    def telling(self) -> set[str]:
        """Those of :meth:`fields` that tell that a record is this table's."""
        wanted = set(identifying(self.resource))
        return self._top(wanted, {n: path for n, path in self.maps.items() if n in wanted})

    def _top(self, own: set[str], maps: Mapping[str, str]) -> set[str]:
        return own | {path.partition(".")[0] for path in maps.values()} | set(maps.values())
