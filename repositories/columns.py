"""The columns of a release's tables, and their kinds, whatever engine holds it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from common.errors import UsageError

Kind = Literal[
    "uuid", "text", "json", "text[]", "integer", "number", "boolean", "timestamp", "date"
]

#: Types as DuckDB and Postgres call them.
_KINDS: dict[str, Kind] = {
    "uuid": "uuid",
    "varchar": "text",
    "text": "text",
    "character varying": "text",
    "json": "json",
    "jsonb": "json",
    "varchar[]": "text[]",
    "array": "text[]",
    "bigint": "integer",
    "integer": "integer",
    "smallint": "integer",
    "hugeint": "integer",
    "double": "number",
    "double precision": "number",
    "float": "number",
    "real": "number",
    "boolean": "boolean",
    "timestamp with time zone": "timestamp",
    "date": "date",
}
#: Schemas that readers of a release see.
SCHEMAS = ("canonical", "marts", "quarantine", "reference", "meta")
#: The same as a list of SQL.
SCHEMA_LIST = ", ".join(f"'{one}'" for one in SCHEMAS)
#: Asked once for a release: every column of what is public, in order.
SQL = (
    "select table_schema, table_name, column_name, data_type from information_schema.columns "
    f"where table_schema in ({SCHEMA_LIST}) "
    "order by table_schema, table_name, ordinal_position"
)


@dataclass(frozen=True)
class Relation:
    """A table or mart: its columns in order, and those that make its key."""

    schema: str
    name: str
    columns: Mapping[str, Kind]
    key: tuple[str, ...]

    def kind(self, column: str) -> Kind:
        """The kind of a column; UsageError names the nearest for one that is not there."""
        if column not in self.columns:
            raise UsageError(
                f"{self.name} has no column '{column}'.", nearest(column, self.columns)
            )
        return self.columns[column]


def kind_of(type_name: str) -> Kind:
    """What is not known is read as text."""
    name = type_name.lower()
    return "number" if name.startswith(("decimal", "numeric")) else _KINDS.get(name, "text")


def nearest(name: str, known: Iterable[str]) -> str:
    """The next step for a name that is none."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 2, 0.5)
    return f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(names)}."
