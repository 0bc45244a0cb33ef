"""What ``python -m tests.same_rows save`` keeps is the same from both engines, value by value."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg
import pytest

from tests.same_rows.compare import compare
from tests.same_rows.save import save
from warehouse.settings import settings

#: Names and types of columns on DuckDB and on Postgres, then the values of two rows.
COLUMNS = {
    "id": ("bigint", "bigint", "9223372036854775807", "null"),
    "uid": ("uuid", "uuid", "'c8fa3353-64ad-40ab-9a0a-499c2fc5c19c'", "null"),
    "text": ("varchar", "text", "'a \"quoted\" \\n,\n''é'' \U0001f600'", "''"),
    "word": ("varchar", "text", "'null'", "null"),
    "rate": ("double", "double precision", "0.1", "'NaN'"),
    "large": ("double", "double precision", "'-Infinity'", "1.7976931348623157e308"),
    "moment": ("timestamptz", "timestamptz", "'2026-10-31 23:30:00.123456+02'", "null"),
    "day": ("date", "date", "'2026-10-31'", "null"),
    "sure": ("boolean", "boolean", "false", "null"),
    "tags": ("varchar[]", "text[]", "array['a,\"b', null, '']", "array[]"),
    "facts": ("json", "jsonb", """'{"b": [1.5, null], "a": "x\\ny"}'""", "'[]'"),
}


def statements(engine: int, schema: str) -> list[str]:
    columns = ", ".join(f'"{name}" {kinds[engine]}' for name, kinds in COLUMNS.items())
    rows = [
        ", ".join(f"cast({kinds[row]} as {kinds[engine]})" for kinds in COLUMNS.values())
        for row in (2, 3)
    ]
    return [
        f"create schema {schema}",
        f'create table {schema}."rows" ({columns})',
        *(f'insert into {schema}."rows" select {row}' for row in rows),
    ]


@pytest.mark.postgres
def test_both_engines_are_saved_alike(
    ace_home: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(ace_home / "warehouse.duckdb")) as here:
        for sql in statements(0, "quarantine"):
            here.execute(sql)
    with psycopg.connect(postgres_url) as there:
        for sql in statements(1, "build_quarantine"):
            there.execute(sql.encode())
    assert save(tmp_path / "duckdb") == 1
    monkeypatch.setenv("ACE_TARGET", "postgres")
    monkeypatch.setenv("ACE_POSTGRES_URL", postgres_url)
    settings.cache_clear()
    assert save(tmp_path / "postgres") == 1
    [verdict] = compare(tmp_path / "duckdb", tmp_path / "postgres")
    assert str(verdict).split() == ["quarantine.rows", "equal:", "2", "rows"]


def test_only_what_was_saved_before_is_replaced(ace_home: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(ace_home / "warehouse.duckdb")) as here:
        for sql in statements(0, "marts"):
            here.execute(sql)
    saved = tmp_path / "saved"
    saved.mkdir()
    for name in ("marts.gone.parquet", "0193.parquet"):
        (saved / name).touch()
    assert save(saved) == 1
    assert sorted(file.name for file in saved.iterdir()) == ["0193.parquet", "marts.rows.parquet"]
