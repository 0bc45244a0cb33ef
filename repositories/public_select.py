"""What one SELECT on a DuckDB release names, as the engine's own parser reads it.

DuckDB has no roles: what lies outside the public schemas is kept apart here, before the query is
run on a connection that can only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from common.errors import UsageError
from repositories.columns import SCHEMAS

if TYPE_CHECKING:
    from repositories.reader import Reader

#: What readers of a release see. The last holds names of tables and columns only.
PUBLIC = (*SCHEMAS, "information_schema")
#: Functions in the place of a table that make their rows of their arguments alone.
ROWS_OF_ARGUMENTS = ("range", "generate_series", "unnest", "json_each", "json_tree")


def check_select(reader: Reader, sql: str) -> None:
    """UsageError for what is not one SELECT on tables of the public schemas."""
    parsed = _parsed(reader, sql)
    nodes = list(_nodes(parsed))
    own = {entry["key"].lower() for node in nodes for entry in _map(node.get("cte_map"))}
    for node in nodes:
        kind = node.get("type")
        if kind == "BASE_TABLE":
            _check_table(node, own)
        elif kind == "TABLE_FUNCTION":
            name = str(node["function"]["function_name"])
            if name.lower() not in ROWS_OF_ARGUMENTS:
                raise UsageError(
                    f"{name}() cannot be read from: only tables of a release can.",
                    f"Name a table, such as marts.post_performance; {', '.join(ROWS_OF_ARGUMENTS)} "
                    "are allowed, too.",
                )
        elif kind == "SHOW_REF":
            raise UsageError("This is no SELECT.", "Tables and columns are listed in meta.columns.")


def _parsed(reader: Reader, sql: str) -> dict[str, Any]:
    text = reader.query("select cast(json_serialize_sql(?) as varchar)", [sql]).rows[0][0]
    found: dict[str, Any] = orjson.loads(text)
    if found.get("error"):
        message = str(found.get("error_message", ""))
        if found.get("error_type") == "not implemented":
            raise UsageError("Only a SELECT can be run here.", "Write one SELECT statement.")
        line = message.partition("\n")[0].rstrip(".")
        raise UsageError(f"The SQL is not valid: {line}.", "Mend it, as SQL of DuckDB.")
    if not found["statements"]:
        raise UsageError("The SQL is empty.", "Write one SELECT statement.")
    if len(found["statements"]) != 1:
        raise UsageError("Only one statement at a time can be run.", "Leave out the others.")
    return found


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree; without recursion, for deep ones."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _map(found: Any) -> list[dict[str, Any]]:
    return found["map"] if isinstance(found, dict) else []


def _check_table(node: dict[str, Any], own: set[str]) -> None:
    schema, name = str(node["schema_name"]), str(node["table_name"])
    if not node["catalog_name"] and schema.lower() in PUBLIC:
        return
    if not node["catalog_name"] and not schema and name.lower() in own:
        return
    full = ".".join(part for part in (node["catalog_name"], schema, name) if part)
    raise UsageError(
        f"There is no public table {full}.",
        f"Name its schema, one of {', '.join(SCHEMAS)}: for example marts.post_performance.",
    )
