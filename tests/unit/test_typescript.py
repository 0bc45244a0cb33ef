"""Types for TypeScript of what is published: every column, its type, whether it can be null."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import small_release
from warehouse.cli import main
from warehouse.publish.contracts import contracts, keys
from warehouse.publish.rows import Table
from warehouse.publish.typescript import TYPES, database, type_name


def _types(text: str) -> dict[str, dict[str, str]]:
    """Each exported type with its properties, comments left out."""
    bare = re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)
    return {
        name: dict(re.findall(r"^  (\w+): ([^;]+);$", body, flags=re.MULTILINE))
        for name, body in re.findall(r"^export type (\w+) = \{\n(.*?)^\};", bare, re.M | re.S)
    }


TABLE = Table(
    "marts",
    "post_performance",
    ("post_id",),
    {"post_id": "uuid", "views": "integer", "hashtags": "text[]", "known_at": "timestamp",
     "verdict": "text", "is_adopted": "boolean"},
    {"views": "Counted; a */ does not end it.", "verdict": "word " * 40},
)  # fmt: skip


def test_every_column_has_its_type_and_may_be_null_unless_it_is_required() -> None:
    text = database("marts", [TABLE])
    found = _types(text)
    required = contracts()["post_performance"].required
    assert found["PostPerformance"] == {
        name: TYPES[kind] + ("" if name in required else " | null")
        for name, kind in TABLE.columns.items()
    }
    assert found["PostPerformance"]["views"] == "number | null"
    assert found["PostPerformance"]["post_id"] == "string"
    assert {"release", "as_of", "published_at"} <= set(found["Publication"])
    assert "/** Counted; a * / does not end it. */" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_database_has_the_shape_that_supabase_js_takes() -> None:
    text = database("shown", [TABLE])
    assert "export type Database = {\n  shown: {\n    Tables: {\n" in text
    assert "      post_performance: ReadOnly<PostPerformance>;\n" in text
    assert "Row: Row; Insert: Unwritten; Update: Unwritten; Relationships: [] }" in text
    for part in ("Views", "Functions", "Enums", "CompositeTypes"):
        assert f"    {part}: None;\n" in text
    # supabase-js takes no interfaces; brackets close what they open.
    assert "interface" not in text
    bare = re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)
    for left, right in (("{", "}"), ("[", "]"), ("<", ">")):
        assert bare.count(left) == bare.count(right)


def test_every_table_that_can_be_published_has_a_contract() -> None:
    assert {table for _, table in keys()} == set(contracts())
    for (_, table), key in keys().items():
        assert set(key) <= contracts()[table].required, table
    assert len({type_name(table) for table in contracts()}) == len(contracts())


def test_the_command_writes_them_without_an_address(
    ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_release.release(
        {"canonical.products": ({"product_id": "uuid", "meta": "json", "name": "text"}, [])},
        ace_home,
    )
    file = ace_home / "database.ts"
    with pytest.raises(SystemExit) as stopped:
        main(["publish", "--canonical", "--types", str(file)])
    assert (stopped.value.code, capsys.readouterr().out) == (0, f"Wrote {file}\n")
    found = _types(file.read_text("utf-8"))
    assert found["Products"] == {
        "product_id": "string", "meta": "Json | null", "name": "string"
    }  # fmt: skip
    assert {"PostPerformance", "RowLedger"} <= set(found)
