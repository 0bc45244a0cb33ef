"""How versions of rows find their parents: the step `found` of each table that has some."""

from __future__ import annotations

import re

import duckdb
import pytest
import yaml

from tests.support.models import step_sql
from warehouse.settings import PROJECT_ROOT

VERSIONS = PROJECT_ROOT / "models" / "versions"
#: Where the columns of most are described.
TABLES = PROJECT_ROOT / "models" / "_tables"
WITH_PARENTS = sorted(
    path.stem.removeprefix("int_")
    for path in VERSIONS.glob("int_*.sql")
    if re.search(r"^found as ", path.read_text(), re.MULTILINE)
)
KEY = "00000000-0000-0000-0000-000000000001"
KNOWN = "2026-03-02 00:00:00+00"
#: Columns that are no text: clocks, by how they end, and whether a row can be referred to.
KINDS = {"is_accepted": "boolean", "_valid_from": "timestamptz", "valid_from": "timestamptz"}


def columns(model: str) -> dict[str, str]:
    """The columns a model of the versions is described with, and the kind of each."""
    described = [VERSIONS / f"{model}.yml", TABLES / f"{model.removeprefix('int_')}.yml"]
    names = [
        column["name"]
        for file in described
        if file.exists()
        for one in yaml.safe_load(file.read_text()).get("models", ())
        if one["name"] == model
        for column in one["columns"]
    ]
    return {
        name: KINDS.get(name, "timestamptz" if name.endswith("_at") else "text") for name in names
    }


def make(connection: duckdb.DuckDBPyConnection, name: str, of: dict[str, str]) -> None:
    kinds = ", ".join(f"{column} {kind}" for column, kind in of.items())
    connection.execute(f"create table {name} ({kinds})")


def insert(
    connection: duckdb.DuckDBPyConnection, name: str, of: dict[str, str], **values: object
) -> None:
    """A row of which every text is the key, so that whatever joins it finds it."""
    row = [values.get(column, KEY if kind == "text" else None) for column, kind in of.items()]
    connection.execute(f"insert into {name} values ({', '.join('?' * len(row))})", row)


def known(table: str, verdicts: tuple[str, ...]) -> list[tuple[object, ...]]:
    """What `found` has of one row, whose parents' keys have rows of these verdicts."""
    sql = step_sql(f"versions/int_{table}", "found")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        candidates = columns(f"int_{table}")
        make(connection, "candidates", candidates)
        insert(connection, "candidates", candidates)
        connection.execute(
            f"create table reference_types as select '{KEY}' reference_type, * from"
            f" (values ('{KEY}')) as known(table_name)"
        )
        for parent in set(re.findall(r"join (int_\w+)", sql)):
            of = columns(parent)
            make(connection, parent, of)
            for verdict in verdicts:
                insert(
                    connection,
                    parent,
                    of,
                    _verdict=verdict,
                    is_accepted=verdict == "accepted",
                    _valid_from=KNOWN if "accepted" in verdicts else None,
                    valid_from=KNOWN if "accepted" in verdicts else None,
                )
        found = connection.execute(f"select columns('^[a-z]+_known_at$') from ({sql})").fetchall()
    return [tuple(str(value)[:10] if value else None for value in row) for row in found]


def test_every_table_with_parents_is_tried() -> None:
    assert len(WITH_PARENTS) == 8


@pytest.mark.parametrize("table", WITH_PARENTS)
def test_only_the_accepted_row_of_a_parent_is_joined(table: str) -> None:
    """Several rows of a parent's key neither double its child nor stand in for an accepted one."""
    rows = known(table, ("superseded", "accepted", "duplicate", "quarantined"))
    assert len(rows) == 1
    assert None not in rows[0]
    waiting = known(table, ("quarantined",))
    assert len(waiting) == 1
    assert set(waiting[0]) == {None}
