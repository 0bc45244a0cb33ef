"""Each table's documentation as a resource: of the current release, or of a pinned one."""

from __future__ import annotations

import re

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agent_server.call import Call
from agent_server.tools.discover import Description, description

A_MINUTE = 60_000
AN_HOUR = 60 * A_MINUTE
#: Documents of a numbered release never change.
A_MONTH = 30 * 24 * AN_HOUR
_URI = re.compile(r"ace://(?:releases/(?P<release>[1-9][0-9]{0,14})/)?tables/(?P<table>[\w.]+)")
TEMPLATES = [
    types.ResourceTemplate(
        uri_template="ace://releases/{release}/tables/{table}",
        name="table-of-a-release",
        description="What a table of a numbered release is for, and its columns. It never "
        "changes: keep it.",
        mime_type="text/markdown",
    )
]


def named(uri: str) -> tuple[int | None, str]:
    """Release and table that an address names."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise MCPError(
            types.INVALID_PARAMS,
            f"There is no resource {uri[:200]}. resources/list lists them; they are like "
            "ace://tables/marts.post_performance.",
        )
    return (int(found["release"]) if found["release"] else None), found["table"]


def listed(call: Call) -> types.ListResourcesResult:
    return types.ListResourcesResult(
        resources=[
            types.Resource(
                uri=f"ace://tables/{one.full_name}",
                name=one.full_name,
                description=one.about[:300] or None,
                mime_type="text/markdown",
            )
            for one in call.warehouse.catalog.tables.values()
        ]
    )


def read(call: Call, uri: str, table: str, release: int | None) -> types.ReadResourceResult:
    text = _markdown(description(call, call.warehouse.catalog.table(table)))
    return types.ReadResourceResult(
        contents=[types.TextResourceContents(uri=uri, mime_type="text/markdown", text=text)],
        ttl_ms=A_MINUTE if release is None else A_MONTH,
        cache_scope="private",
    )


def _markdown(table: Description) -> str:
    """Without what changes by the clock: the document of a release is always the same."""
    lines = [
        f"# {table.table}",
        "",
        table.about,
        "",
        f"Release {table.release.number}. A row is: {table.a_row_is or 'not said'}. "
        f"Key: {', '.join(table.key) or 'none'}.",
        "",
    ]
    if table.example_query:
        lines += ["```sql", table.example_query, "```", ""]
    lines += ["| column | type | meaning |", "| --- | --- | --- |"]
    for column in table.columns:
        meaning = column.description.replace("|", "\\|")
        lines.append(f"| {column.column} | {column.type} | {meaning} |")
    return "\n".join(lines) + "\n"
