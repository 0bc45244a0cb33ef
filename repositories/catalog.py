"""What there is to read in a release: every public table, and every column with its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from common.errors import UsageError
from loaders.schema import SOURCE_KEY
from repositories.columns import SCHEMA_LIST, SCHEMAS, nearest
from repositories.marts import MARTS

if TYPE_CHECKING:
    from repositories.session import Session

#: Schemas in the order they are listed in: what is decided by comes first.
LISTED = ("marts", *(one for one in SCHEMAS if one != "marts"))
#: Of the tables that every release writes about itself.
_META = {
    "release": "The release: its number, when it was made, as of when its data is.",
    "releases": "The releases that are kept, and which is the current one.",
    "columns": "Every column of every table, with its type and meaning.",
    "tables": "What every table is, its grain, an example and what it is made from.",
    "loads": "Every load whose rows are in the release.",
    "runs": "The last builds, how each ended and what it had to do.",
    "row_counts": "How many rows each table has.",
    "tests": "The tests that the release passed, and the warnings.",
}


_OTHER_KEYS = {
    ("quarantine", "rows"): ("table_name", "load_id", "position"),
    ("meta", "loads"): ("load_id", "resource"),
    ("meta", "runs"): ("run_id",),
    ("meta", "columns"): ("schema", "table", "column"),
}


@dataclass(frozen=True)
class About:
    """A table: what it is for, and what a row of it is."""

    schema: str
    name: str
    about: str
    grain: str
    #: Who reads it, or nothing.
    used_by: str
    #: A query that runs, or nothing.
    example: str
    #: Columns that name a row; none where nothing does.
    key: tuple[str, ...]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str


def first_sentence(text: str) -> str:
    """What a table is, without how it is made."""
    return text.partition(". ")[0].rstrip(".") + "." if text else ""


class Catalog:
    """The tables of the open release, by name."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def tables(self) -> dict[str, About]:
        """By ``schema.name``, in the order of ``LISTED``."""
        found = self._session.query(
            "select distinct table_schema, table_name from information_schema.columns "
            f"where table_schema in ({SCHEMA_LIST})"
        ).rows
        there = sorted(found, key=lambda one: (LISTED.index(one[0]), one[1]))
        said = self._said() if ("meta", "tables") in there else {}
        return {f"{schema}.{name}": _about(schema, name, said) for schema, name in there}

    def _said(self) -> dict[tuple[str, str], dict[str, str | None]]:
        """What the release says of its tables; releases of before do not."""
        rows = self._session.query(
            "select table_schema, table_name, description, grain, used_by, example from meta.tables"
        ).dicts()
        return {(str(row["table_schema"]), str(row["table_name"])): row for row in rows}

    def table(self, name: str) -> About:
        """By ``schema.name``, or by a name that one schema has; UsageError for no table."""
        if name in self.tables:
            return self.tables[name]
        found = [one for one in self.tables.values() if one.name == name]
        if len(found) != 1:
            raise UsageError(f"There is no table '{name}'.", nearest(name, self.tables))
        return found[0]

    def columns(self, table: About) -> list[Column]:
        """In the order of the table; the description is empty where nobody wrote one."""
        rows = self._session.query(
            'select "column", description from meta.columns where "schema" = ? and "table" = ?',
            [table.schema, table.name],
        ).rows
        described = {name: text for name, text in rows if text}
        kinds = self._session.relation(table.schema, table.name, table.key).columns
        return [Column(name, kind, described.get(name, "")) for name, kind in kinds.items()]

    @cached_property
    def row_counts(self) -> dict[str, int]:
        """Rows of the tables that the release counted, by ``schema.name``."""
        if "meta.row_counts" not in self.tables:
            return {}
        rows = self._session.query('select "schema", "table", rows from meta.row_counts').rows
        return {f"{schema}.{name}": count for schema, name, count in rows}


def _about(
    schema: str, name: str, said: Mapping[tuple[str, str], Mapping[str, str | None]]
) -> About:
    found = said.get((schema, name), {})
    about = found.get("description") or (_META.get(name) if schema == "meta" else None)
    return About(
        schema,
        name,
        about or "",
        found.get("grain") or "",
        found.get("used_by") or "",
        found.get("example") or "",
        _key(schema, name),
    )


def _key(schema: str, name: str) -> tuple[str, ...]:
    if schema == "marts" and name in MARTS:
        return MARTS[name].key
    if schema == "canonical" and name in SOURCE_KEY:
        return (SOURCE_KEY[name],)
    return _OTHER_KEYS.get((schema, name), ())
