"""The hash of a record: md5 over its own columns in one stable text form.

The text form, the same for every library version and engine: columns in declared
order, separated by ``|``. Null is ``\\N``. Integers and timestamps (microseconds
since 1970) are decimal, doubles ``%.17g``, uuid, text and JSON as they are, a list
``[a,b]``. In text ``\\``, ``|`` and ``,`` are escaped by ``\\``, so no two different
records share a text. Columns that a resource got later (``ADDED``) are there where they
hold something, behind their name. Bookkeeping columns do not take part.
"""

from __future__ import annotations

from functools import cache

import duckdb
import polars as pl
import pyarrow as pa

from loaders.schema import ADDED, RESOURCES, Column

_ESCAPES = (("\\", "\\\\"), ("|", "\\|"), (",", "\\,"))


#: How the text of a run of empty columns ends (a single column's ends in a bracket).
_NULL_RUN = "\\N'"


def _escaped(expression: str) -> str:
    for character, escape in _ESCAPES:
        expression = f"replace({expression}, '{character}', '{escape}')"
    return expression


def _text(column: Column, *, added: bool) -> str:
    name = f'"{column.name}"'
    if column.kind == "integer":
        text = f"{name}::varchar"
    elif column.kind == "timestamp":
        text = f"epoch_us({name})::varchar"
    elif column.kind == "number":
        text = f"printf('%.17g', {name})"
    elif column.kind == "text[]":
        text = f"'[' || array_to_string([{_escaped('x')} for x in {name}], ',') || ']'"
    elif column.kind == "uuid":
        text = name
    else:
        text = _escaped(name)
    # Of what is null, concat_ws leaves out name and all.
    return f"'{column.name}=' || {text}" if added else f"coalesce({text}, '\\N')"


@cache
def _query(resource: str, empty: frozenset[str]) -> str:
    """The query; columns without any value cost nothing."""
    texts: list[str] = []
    for column in RESOURCES[resource]:
        added = column.name in ADDED.get(resource, ())
        if column.name not in empty:
            texts.append(_text(column, added=added))
        elif added:
            continue
        elif texts and texts[-1].endswith(_NULL_RUN):
            texts[-1] = texts[-1][:-1] + "|\\N'"
        else:
            texts.append("'\\N'")
    return f"select md5(concat_ws('|', {', '.join(texts)})) as _record_hash from rows"


def hash_table(connection: duckdb.DuckDBPyConnection, resource: str, table: pa.Table) -> pa.Array:
    """``_record_hash`` of every row of an Arrow table with the resource's columns."""
    names = [column.name for column in RESOURCES[resource]]
    empty = {name for name in names if table[name].null_count == table.num_rows}
    used = [name for name in names if name not in empty]
    if not used:
        # Nothing to read the rows from: any column gives their number.
        used = names[:1]
    connection.register("rows", table.select(used))
    try:
        return connection.sql(_query(resource, frozenset(empty))).to_arrow_table().column(0)
    finally:
        connection.unregister("rows")


def record_hashes(resource: str, frame: pl.DataFrame) -> pl.Series:
    """``_record_hash`` of every row of a frame that has all the resource's columns."""
    names = [column.name for column in RESOURCES[resource]]
    with duckdb.connect() as connection:
        table = frame.select(names).to_arrow(compat_level=pl.CompatLevel.oldest())
        return pl.Series("_record_hash", hash_table(connection, resource, table), dtype=pl.String)
