"""A release as small as can be, with the same rows on either engine: what reading is tried on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from common.settings import Settings
from tests.support import small_postgres, small_warehouse
from warehouse.release.duckdb import DuckStore

#: Table name to its columns (name to type of the contract) and its rows.
Tables = Mapping[str, tuple[Mapping[str, str], Sequence[Mapping[str, Any]]]]


def release(tables: Tables, home: Path, url: str | None = None, number: int = 1) -> Settings:
    """Make release ``number`` of the tables (``marts.x``), on Postgres if an address is given;
    returns the settings that find it."""
    if url is None:
        file = home / "warehouse.duckdb"
        small_warehouse.make(file, build=number)
        with duckdb.connect(str(file)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("drop view canonical.products")
            connection.execute(statements(tables, "duckdb"))
        store = DuckStore(home, file, 5)
        store.record_passed(small_warehouse.passed(number))
        store.publish()
        return Settings(home, "duckdb", str(home / "landing"), None, None, {})
    gone = "drop view build_canonical.products; " if number == 1 else ""
    small_postgres.build(url, number, gone + statements(tables, "postgres")).publish()
    return Settings(home, "postgres", str(home / "landing"), url, None, {})


def statements(tables: Tables, engine: str) -> str:
    """SQL that makes the tables in place of those of the same names."""
    found = []
    for name, (columns, rows) in tables.items():
        target = f"build_{name}" if engine == "postgres" else name
        types = {column: typed(kind, engine) for column, kind in columns.items()}
        found.append(f"drop table if exists {target}")
        found.append(f"create table {target} ({', '.join(f'{c} {t}' for c, t in types.items())})")
        for start in range(0, len(rows), 500):
            values = ", ".join(
                f"({', '.join(literal(row.get(c), t) for c, t in types.items())})"
                for row in rows[start : start + 500]
            )
            found.append(f"insert into {target} values {values}")
    return ";\n".join(found) + ";\n"


def typed(kind: str, engine: str) -> str:
    return ("jsonb" if engine == "postgres" else "json") if "json" in kind else kind


def literal(value: Any, kind: str) -> str:
    """The value in SQL that both engines read."""
    if value is None:
        return f"cast(null as {kind})"
    if kind in ("json", "jsonb"):
        value = json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"cast('{value!r}' as {kind})"
    if isinstance(value, list | tuple):
        return f"cast(array[{', '.join(literal(one, 'text') for one in value)}] as {kind})"
    if isinstance(value, datetime | date | UUID):
        value = str(value)
    return f"cast('{value.replace(chr(39), chr(39) * 2)}' as {kind})"
