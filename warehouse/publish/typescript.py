"""What is published as TypeScript's types, in the shape that supabase-js takes.

``createClient<Database, "marts">(...)`` then knows every table, column and whether it can be null.
Rows are types, not interfaces: supabase-js wants them to be records, which interfaces are not.
Nothing can be inserted or updated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from repositories.columns import Kind
from warehouse.publish.contracts import contracts
from warehouse.publish.publication import COLUMNS
from warehouse.publish.rows import Table

#: Kinds of columns as PostgREST's JSON has them.
TYPES: dict[Kind, str] = {
    "uuid": "string",
    "text": "string",
    "json": "Json",
    "text[]": "string[]",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "timestamp": "string",
    "date": "string",
}
_HEAD = """\
// Written by `ace publish --types`; do not edit.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

type Unwritten = Record<string, never>;

type None = { [_ in never]: never };

/** A table that can only be read. */
type ReadOnly<Row> = { Row: Row; Insert: Unwritten; Update: Unwritten; Relationships: [] };
"""
#: What a publication always says of itself.
_KNOWN = ("published_at", "engine")


def database(schema: str, tables: Sequence[Table]) -> str:
    """The text of a module that exports ``Database`` and a type for the rows of each table."""
    ordered = sorted(tables, key=lambda one: one.name)
    lines = [*_HEAD.splitlines(), ""]
    for table in ordered:
        lines += [*_row(table), ""]
    lines += ["/** Which release the tables hold; one row. */", "export type Publication = {"]
    lines += ["  /** The key of the only row. */", "  one: true;"]
    for name, (kind, about) in COLUMNS.items():
        lines += [*_comment([about], "  "), _field(name, kind, name in _KNOWN)]
    lines += ["};", "", "export type Database = {", f"  {schema}: {{", "    Tables: {"]
    names = [*(one.name for one in ordered), "publication"]
    lines += [f"      {name}: ReadOnly<{type_name(name)}>;" for name in names]
    lines += ["    };"]
    lines += [f"    {one}: None;" for one in ("Views", "Functions", "Enums", "CompositeTypes")]
    return "\n".join([*lines, "  };", "};", ""])


def type_name(table: str) -> str:
    """``PostPerformance`` of ``post_performance``."""
    return "".join(part.capitalize() for part in table.split("_"))


def _row(table: Table) -> Iterator[str]:
    contract = contracts()[table.name]
    yield from _comment([contract.about, f"Grain: {contract.grain}."], "")
    yield f"export type {type_name(table.name)} = {{"
    for name, kind in table.columns.items():
        yield from _comment([table.about.get(name, "")], "  ")
        known = name in contract.required or name in table.key
        yield _field(name, kind, known)
    yield "};"


def _field(name: str, kind: Kind, is_known: bool) -> str:
    return f"  {name}: {TYPES[kind]}{'' if is_known else ' | null'};"


def _comment(parts: Sequence[str], indent: str) -> Iterator[str]:
    """A documentation comment, on one line where it fits."""
    texts = [one.replace("*/", "* /") for one in parts if one]
    if not texts:
        return
    if len(texts) == 1 and len(texts[0]) + len(indent) <= 93:
        yield f"{indent}/** {texts[0]} */"
        return
    yield f"{indent}/**"
    for text in texts:
        yield from (f"{indent} * {line}" for line in wrap(text, 96 - len(indent)))
    yield f"{indent} */"
