"""Text that wants to be markup, and a warehouse that has it in every text column."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import yaml

from tests.support import small_warehouse
from warehouse.settings import PROJECT_ROOT

#: Breaks out of text, of either kind of attribute, of a script and of a comment.
HOSTILE = "'\"></td></script></style><script>alert(1)</script><img src=x onerror=alert(2)><!--"
#: The same length, and nothing that means anything to HTML.
HARMLESS = "x" * len(HOSTILE)

_UUID = "00000000-0000-0000-0000-000000000001"
_VALUES = {
    "uuid": f"uuid '{_UUID}'",
    "bigint": "1",
    "double precision": "0.05",
    "boolean": "true",
    "timestamptz": "timestamptz '2026-11-01 00:00:00+00'",
    "date": "date '2026-11-01'",
}
_HELD = {
    **dict.fromkeys(("table_name", "source", "load_id", "key", "missing_reference"), "text"),
    "reasons": "text[]",
    "fields": "text[]",
    "position": "bigint",
    "payload": "json",
    "since": "timestamptz",
}
#: Columns that decide whether the report shows a row.
ALWAYS = {"is_partial": "false"}
SECOND = {"platform": "'all'", "status": "'stuck'", "missing_reference": "null"}


def _type(text: str) -> str:
    """A contract's type as DuckDB has it; documents differ between engines."""
    return "json" if text.startswith("{") else text


def contracts() -> dict[tuple[str, str], dict[str, str]]:
    """(schema, table) to column to type, of every canonical table and mart."""
    found = {}
    for file in sorted((PROJECT_ROOT / "models").glob("*/**/*.yml")):
        layer = file.relative_to(PROJECT_ROOT / "models").parts[0]
        if layer not in ("canonical", "marts") or file.parent.name == "steps":
            continue
        for model in yaml.safe_load(file.read_text("utf-8")).get("models", ()):
            found[layer, model["name"]] = {
                column["name"]: _type(column["data_type"]) for column in model.get("columns", ())
            }
    return found | {("quarantine", "rows"): _HELD}


def make(path: Path, text: str) -> set[str]:
    """Write a build file whose every text is ``text`` with a number of its own behind it.

    Each table has two rows; the second holds the words that the report's queries ask for.
    Returns the text columns that there are, as ``schema.table.column#number``.
    """
    small_warehouse.make(path)
    number = count(100)
    named: set[str] = set()

    def said(where: str) -> str:
        mark = next(number)
        named.add(f"{where}#{mark}")
        return "'" + f"{text}#{mark}".replace("'", "''") + "'"

    def value(where: str, kind: str, wanted: str | None) -> str:
        if wanted is not None:
            return wanted
        if kind == "text":
            return said(where)
        if kind == "text[]":
            return f"[{said(where)}]"
        return _VALUES.get(kind, "null")

    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("drop view canonical.products; drop view quarantine.rows")
        connection.execute("drop table marts.post_performance; drop table marts.row_ledger")
        connection.execute("drop table marts.post_metric_history")
        connection.execute("drop table marts.feature_freshness")
        for (schema, table), columns in contracts().items():
            kinds = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f'create table {schema}."{table}" ({kinds})')
            for words in ({}, SECOND):
                row = ", ".join(
                    value(f"{schema}.{table}.{name}", kind, (ALWAYS | words).get(name))
                    for name, kind in columns.items()
                )
                connection.execute(f'insert into {schema}."{table}" values ({row})')
        connection.execute(
            "update meta.loads set load_id = ?, account = ?", [f"{text}#1", f"{text}#2"]
        )
    return named


class Skeleton(HTMLParser):
    """The markup of a page (tags and attribute names) and, apart from it, its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.markup: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.markup.append((tag, *(name for name, _ in attrs)))
        self.attributes += [value or "" for _, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.markup.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.markup.append(("comment",))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def assert_no_markup_of(page: str, text: str = HOSTILE) -> None:
    """No part of the hostile text is anything but text in the page."""
    found = Skeleton(page)
    tags = {entry[0] for entry in found.markup}
    assert not tags & {"script", "img", "iframe", "object", "embed", "comment", "/script"}, page
    assert not [entry for entry in found.markup if any(a.startswith("on") for a in entry[1:])]
    assert "<!--" not in page
    assert text not in page


def policy_of(page: str) -> dict[str, Any]:
    """The Content-Security-Policy of a page: directive to its sources."""

    class _Meta(HTMLParser):
        content = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if given.get("http-equiv") == "Content-Security-Policy":
                self.content = given["content"] or ""

    meta = _Meta()
    meta.feed(page)
    parts = [part.split() for part in meta.content.split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}
