"""Who reads versions of rows says which: what is superseded or held back is in no result."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from loaders.schema import SOURCE_KEY
from tests.support.models import model_sql
from warehouse.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "models"
VERDICTS = ("accepted", "superseded", "duplicate", "quarantined")
#: Columns of every table of versions, besides those that canonical shows.
BOOKKEEPING = {
    "_verdict": "text",
    "_source_key": "uuid",
    "_natural": "uuid",
    "_known_at": "timestamptz",
    "_first_known_at": "timestamptz",
    "_valid_from": "timestamptz",
    "_changed_build": "bigint",
}


def properties(model: Path) -> Any:
    return yaml.safe_load(model.with_suffix(".yml").read_text())


def versions_of(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """One row of each verdict in ``int_<table>``, empty but for that."""
    columns = properties(MODELS / "canonical" / f"{table}.sql")["models"][0]["columns"]
    types = {column["name"]: column["data_type"] for column in columns} | BOOKKEEPING
    # The type of documents is written as a choice between engines.
    types = {name: "json" if "json" in kind else kind for name, kind in types.items()}
    connection.execute(
        f"create table int_{table} ({', '.join(f'{name} {kind}' for name, kind in types.items())})"
    )
    connection.executemany(
        f"insert into int_{table} (_verdict) values (?)", [[verdict] for verdict in VERDICTS]
    )


@pytest.mark.parametrize("table", sorted(SOURCE_KEY))
def test_only_accepted_rows_are_shown(table: str) -> None:
    connection = duckdb.connect()
    versions_of(connection, table)
    shown = connection.execute(model_sql(f"canonical/{table}")).fetchall()
    assert len(shown) == 1


def test_only_accepted_rows_can_be_referred_to() -> None:
    connection = duckdb.connect()
    for table in SOURCE_KEY:
        versions_of(connection, table)
    counted = connection.execute(
        "select table_name, count(*), count(*) filter (where is_accepted) from"
        f" ({model_sql('intermediate/int_references')}) as found group by all"
    ).fetchall()
    assert len(counted) == 9
    assert all(counts == [len(VERDICTS), 1] for _, *counts in counted)


#: Models with a filter of their own on a table of versions.
READERS = [
    (path, table)
    for path in sorted((*MODELS.glob("intermediate/*.sql"), *MODELS.glob("marts/*/*.sql")))
    for table in SOURCE_KEY
    if re.search(rf"ref\('int_{table}'\)[^,;]*?_verdict (=|in)", path.read_text())
]


def test_all_readers_are_found() -> None:
    assert len(READERS) >= 36


@pytest.mark.parametrize(
    ("model", "table"), READERS, ids=[f"{path.stem}-{table}" for path, table in READERS]
)
def test_a_unit_test_gives_rows_that_must_not_count(model: Path, table: str) -> None:
    """Who leaves the filter out, or out of one of its tables, sees the model's own tests fail."""
    given = [
        str(given.get("rows"))
        for test in properties(model)["unit_tests"]
        for given in test["given"]
        if given["input"] == f"ref('int_{table}')"
    ]
    assert any("quarantined" in rows for rows in given)
    assert any("superseded" in rows for rows in given)
