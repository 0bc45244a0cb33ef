"""``ace tables`` and ``ace explain``: what a release says of its own tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from common.errors import AceError
from tests.support import small_warehouse
from warehouse.cli import explain, tables
from warehouse.release.duckdb import DuckStore
from warehouse.release.model import TableDocument

DOCUMENTS = [
    TableDocument(
        schema="canonical",
        table="products",
        description="What is sold. Everything hangs off it.",
        grain="a product",
        area="warehouse",
        used_by="Scriptwriter, Editor",
        example="select name\nfrom canonical.products",
    ),
    TableDocument(
        schema="quarantine",
        table="rows",
        description="What is held back, and why: " + "long " * 30,
        made_from="canonical.products",
    ),
]


def _release(home: Path, documents: list[TableDocument] = DOCUMENTS) -> None:
    small_warehouse.make(home / "warehouse.duckdb")
    store = DuckStore(home, home / "warehouse.duckdb", 5)
    store.record_passed(replace(small_warehouse.passed(), tables=documents))
    store.publish()


def _run(command: Any, *arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_tables_are_a_line_each(ace_home: Path) -> None:
    _release(ace_home)
    lines = _run(tables.command).splitlines()
    assert "  products  2  What is sold." in lines
    assert all(len(line) <= 80 for line in lines)
    assert sum("long long" in line for line in lines) == 1
    area = _run(tables.command, "quarantine").splitlines()
    assert not any("What is sold" in line for line in area)
    assert sum(line.split().count("long") for line in area) == 30, "an area has its texts in full"
    assert all(len(line) <= 80 for line in area)
    said = json.loads(_run(tables.command, "--json"))
    assert [one["name"] for one in said] == ["canonical.products", "quarantine.rows"]
    assert said[0]["used_by"] == ["Scriptwriter", "Editor"]
    assert said[0]["made_from"] == []


def test_a_table_is_explained_by_its_name_with_or_without_schema(ace_home: Path) -> None:
    _release(ace_home)
    said = _run(explain.command, "products")
    assert said == _run(explain.command, "canonical.products")
    for text in (
        "One row per: a product",
        "Read by:     quarantine.rows",
        'ace sql "select name from canonical.products"',
        "What shoppers call it; isn't a key.",
    ):
        assert text in said
    found = json.loads(_run(explain.command, "products", "--json"))
    assert [one["column_name"] for one in found["columns"]][:2] == ["product_id", "name"]


def test_names_of_columns_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    named = ("name", "description", "grain", "example")
    column = {
        "column_name": "control_engagement_rate_sum_squares",
        "type": "timestamp with time zone",
        "description": "meaning " * 20,
    }
    lists: dict[str, Any] = {name: [] for name in ("used_by", "made_from", "read_by")}
    explain._print(dict.fromkeys(named, "") | lists | {"rows": 1, "columns": [column]})
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "control" in line]
    assert line.split()[:3] == [column["column_name"], "timestamptz", "meaning"]
    assert all(len(line) <= 80 for line in lines)


def test_a_name_that_is_not_there_brings_the_near_ones(ace_home: Path) -> None:
    _release(ace_home)
    with pytest.raises(AceError, match=r"no table prodcts .* Did you mean canonical\.products\?"):
        _run(explain.command, "prodcts")
    with pytest.raises(AceError, match="'ace tables' lists them"):
        _run(explain.command, "zzz")
