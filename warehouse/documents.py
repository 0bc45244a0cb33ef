"""What a release says of its own tables, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from repositories.query_errors import near_table

if TYPE_CHECKING:
    from repositories.reader import Reader


def documents(reader: Reader) -> list[dict[str, Any]]:
    """Every public table with its rows, and what meta.tables says of it; by name.

    ``made_from`` and ``used_by`` are lists. AceError for a release that does not say.
    """
    if "meta.tables" not in reader.tables():
        raise AceError(
            "This release was made before releases described their tables.",
            "'ace build --force' makes one that does.",
        )
    found = reader.query(
        "select t.table_schema || '.' || t.table_name as name, t.*, c.rows "
        'from meta.tables as t left join meta.row_counts as c on c."schema" = t.table_schema '
        'and c."table" = t.table_name order by 1'
    ).dicts()
    for one in found:
        one["rows"] = one["rows"] or 0
        for name in ("made_from", "used_by"):
            one[name] = one[name].split(", ") if one[name] else []
    return found


def document(reader: Reader, name: str) -> dict[str, Any]:
    """One table by its name, with or without its schema: also its columns and what reads it.

    UsageError names near tables when there is none of that name.
    """
    found = documents(reader)
    wanted = name.strip('"').lower()
    named = [one for one in found if wanted in (one["name"], one["table_name"])]
    if len(named) != 1:
        known = [one["name"] for one in named or found]
        raise UsageError(f"There is no table {name} in this release.", near_table(name, known))
    one = named[0]
    one["columns"] = reader.query(
        "select column_name, type, description from meta.columns "
        "where table_schema = ? and table_name = ?",
        [one["table_schema"], one["table_name"]],
    ).dicts()
    one["read_by"] = [other["name"] for other in found if one["name"] in other["made_from"]]
    return one
