"""What Postgres really did in a build: the plans that ``auto_explain`` writes to its log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

#: A line of the log that goes on is indented by a tab.
_ENTRY = re.compile(r"duration: [^\n]* plan:\n((?:\t[^\n]*\n?)+)")
_NODE = re.compile(r'"node_id": "model\.[^".]+\.([^"]+)"')
JOINS = ("Hash Join", "Merge Join", "Nested Loop")


def log_plans(url: str) -> None:
    """From now on, sessions of the database log every plan with the rows it had."""
    from psycopg.conninfo import conninfo_to_dict

    name = conninfo_to_dict(url)["dbname"]
    settings = {
        "session_preload_libraries": "'auto_explain'",
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_timing": "off",
        "auto_explain.log_format": "json",
    }
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("load 'auto_explain'")
        for setting, value in settings.items():
            connection.execute(f'alter database "{name}" set {setting} = {value}'.encode())


@dataclass(frozen=True)
class Work:
    """What a statement of a model did, and what its planner got ready for."""

    #: Rows read from tables, and pairs of rows that joins looked at.
    scanned: float
    joined: float
    #: Bytes of the largest hash table that was expected: it is laid out before rows come.
    hashed: float


def work(log: str) -> dict[str, Work]:
    """By model, the most that one of its statements did, from the server's log."""
    found: dict[str, Work] = {}
    for entry in _ENTRY.finditer(log):
        plan = json.loads(entry[1])
        model = _NODE.search(plan["Query Text"])
        if model is None:
            continue
        nodes = list(_nodes(plan["Plan"]))
        done = Work(
            scanned=sum(_rows(node) for node in nodes if "Relation Name" in node),
            joined=sum(
                _rows(node) + node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"]
                for node in nodes
                if node["Node Type"] in JOINS
            ),
            hashed=max(
                (n["Plan Rows"] * n["Plan Width"] for n in nodes if n["Node Type"] == "Hash"),
                default=0,
            ),
        )
        before = found.get(model[1], done)
        found[model[1]] = max(before, done, key=lambda one: (one.joined, one.hashed))
    return found


def _rows(node: dict[str, Any]) -> float:
    return float(node["Actual Rows"] * node["Actual Loops"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def described(connection: psycopg.Connection[Any], sql: str) -> str:
    """The plan of a query with every expression in it, as text."""
    rows = connection.execute(f"explain (verbose, costs off) {sql}".encode()).fetchall()
    return "\n".join(str(row[0]) for row in rows)
