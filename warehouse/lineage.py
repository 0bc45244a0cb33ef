"""Where one row of a canonical table comes from, what was decided of it, and what rests on it.

Read off the versions that a build keeps: a release file holds them, on Postgres they are those of
the last build. Landed files are looked up by the load alone, so that a file that is gone is said
and does not hide the rest.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from repositories.query_errors import near_table

if TYPE_CHECKING:
    from loaders.landing import Landing
    from repositories.reader import Reader

#: What platforms call a row, beside its key.
EXTERNAL_ID = {
    "published_posts": "external_post_id",
    "performance_metrics": "external_post_id",
    "raw_videos": "external_id",
}
#: Columns that order the versions of a key before the time they were known.
NEWEST_BY = {"products": "updated_at"}
#: Rows that are named when a text fits several.
NAMED = 5
_PLACE = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(\d+)")


def lineage(reader: Reader, landing: Landing, name: str, wanted: str) -> dict[str, Any]:
    """Everything known of one row, as plain values:

    ``table``, ``key`` (None for a row without one), ``verdict`` of the version that counts or else
    of the newest, ``row`` (as canonical shows it, or None), ``versions`` (oldest first, each with
    its load, file, position, verdict and the sentence that says why), ``parents``, ``marts`` (rows
    that name it, by table and column) and ``also_read_by`` (tables whose rows do not name it, such
    as statistics of a population).

    ``wanted`` is a key (also one that lost to another), an id of the platform with or without
    ``platform/`` before it, or ``LOAD:POSITION``. Raises UsageError where it names no row or
    several, AceError where the versions cannot be read.
    """
    table = _table(name)
    found = _Versions(reader, table)
    condition, values = found.named(wanted)
    rows = found.rows(condition, values)
    key = rows[0][found.key]
    files = {load.load_id: load for load in landing.loads(resource=table)}
    versions = [_version(row, rows, at, files) for at, row in enumerate(rows)]
    counted = next((row for row in rows if row["_verdict"] == "accepted"), None)
    row = None
    if counted is not None:
        shown = reader.query(
            f"select * from canonical.{table} where {found.key} = cast(? as uuid)", [key]
        ).dicts()
        row = shown[0] if shown else None
    marts, also = _resting(reader, table, found.key, key, counted or rows[-1])
    return {
        "table": f"canonical.{table}",
        "key": key,
        "verdict": (counted or rows[-1])["_verdict"],
        "row": row,
        "versions": versions,
        "parents": _parents(reader, found, counted or rows[-1]),
        "marts": marts,
        "also_read_by": also,
    }


def _table(name: str) -> str:
    from loaders.schema import RESOURCES

    table = name.strip('"').lower().removeprefix("canonical.")
    if table not in RESOURCES:
        near = near_table(table, [f"canonical.{one}" for one in RESOURCES])
        raise UsageError(
            f"{name} is not one of the twelve tables whose rows land.",
            near if near.startswith("Did") else f"There are: {', '.join(RESOURCES)}.",
        )
    return table


class _Versions:
    """The versions of a table's rows, wherever the engine keeps them."""

    def __init__(self, reader: Reader, table: str) -> None:
        from loaders.schema import SOURCE_KEY

        self._reader = reader
        self.table = table
        self.key = SOURCE_KEY[table]
        self.schema = "intermediate" if reader.engine == "duckdb" else "build_intermediate"
        self.relation = f"{self.schema}.int_{table}"

    def _query(self, sql: str, values: list[Any]) -> list[dict[str, Any]]:
        try:
            return self._reader.query(sql, values).dicts()
        except UsageError as error:
            raise AceError(
                f"The versions of {self.table} cannot be read here: {error.message}",
                "A release file made by 'ace build' holds them; on Postgres they are read by the "
                "user who builds.",
            ) from None

    def named(self, wanted: str) -> tuple[str, list[Any]]:
        """The condition that holds for all versions of the one row that ``wanted`` names."""
        keys, place = self._keys(wanted)
        if len(keys) > 1:
            named = ", ".join(str(key) for key in keys[:NAMED])
            more = f" and {len(keys) - NAMED:,} more" if len(keys) > NAMED else ""
            raise UsageError(
                f"'{wanted}' fits {len(keys):,} rows of {self.table}.",
                f"Give one of their keys: {named}{more}.",
            )
        if not keys:
            raise UsageError(
                f"No landed row of {self.table} has the key '{wanted}'.",
                "'ace quarantine show' names rows that are held back; what landed after the last "
                "build is not known yet.",
            )
        if keys[0] is None:
            assert place is not None
            return "_load_id = ? and _position = cast(? as bigint)", list(place)
        return f"{self.key} = cast(? as uuid)", [keys[0]]

    def _keys(self, wanted: str) -> tuple[list[Any], tuple[str, str] | None]:
        """Keys of the rows that a text names, None for one without; and its place, if it is one."""
        if place := _PLACE.fullmatch(wanted.lower()):
            condition = "_load_id = ? and _position = cast(? as bigint)"
            return self._distinct(condition, list(place.groups())), (place[1], place[2])
        try:
            value = str(uuid.UUID(wanted))
        except ValueError:
            return self._by_name(wanted), None
        exact = self._distinct(f"{self.key} = cast(? as uuid)", [value])
        return exact or self._distinct("_source_key = cast(? as uuid)", [value]), None

    def _by_name(self, wanted: str) -> list[Any]:
        column = EXTERNAL_ID.get(self.table)
        if column is None:
            return []
        platform, slash, rest = wanted.partition("/")
        if slash:
            found = self._distinct(f"platform = ? and {column} = ?", [platform.lower(), rest])
            if found:
                return found
        return self._distinct(f"{column} = ?", [wanted])

    def _distinct(self, condition: str, values: list[Any]) -> list[Any]:
        rows = self._query(
            f"select distinct {self.key} as key from {self.relation} where {condition} order by 1",
            values,
        )
        return [row["key"] for row in rows if row["key"] is not None] or [
            row["key"] for row in rows
        ]

    def rows(self, condition: str, values: list[Any]) -> list[dict[str, Any]]:
        """The versions, oldest first, in the order in which verdicts compare them."""
        first = f"{NEWEST_BY[self.table]} nulls first, " if self.table in NEWEST_BY else ""
        return self._query(
            f"select * from {self.relation} where {condition} "
            f"order by {first}_known_at, _load_id, _position",
            values,
        )


def _version(
    row: dict[str, Any], rows: list[dict[str, Any]], at: int, files: dict[str, Any]
) -> dict[str, Any]:
    load = files.get(row["_load_id"])
    values = {name: value for name, value in row.items() if not name.startswith("_")}
    before = rows[at - 1] if at else None
    return {
        "source": row["_source"],
        "load_id": row["_load_id"],
        "position": row["_position"],
        "account": None if load is None else load.account,
        "input": None if load is None else load.input,
        "file": None if load is None else load.file,
        "loaded_at": row["_loaded_at"],
        "known_at": row["_known_at"],
        "effective_at": row["_effective_at"],
        "verdict": row["_verdict"],
        "why": _why(row, rows, at),
        "reasons": row["_reasons"],
        "fields": row["_fields"],
        "missing_reference": row["_missing_reference"],
        "changed": {}
        if before is None
        else {
            name: {"from": before[name], "to": value}
            for name, value in values.items()
            if before[name] != value
        },
        "values": values,
    }


def _why(row: dict[str, Any], rows: list[dict[str, Any]], at: int) -> str:
    """The verdict in a sentence."""
    verdict = row["_verdict"]
    if verdict == "accepted":
        return "the only version" if len(rows) == 1 else "the newest valid version"
    if verdict == "duplicate":
        return f"says the same as the version before it, {_place(rows[at - 1])}"
    if verdict == "superseded":
        newer = next((one for one in rows if one["_verdict"] == "accepted"), None)
        return "a newer valid version counts" + ("" if newer is None else f", {_place(newer)}")
    said = []
    for reason in row["_reasons"]:
        if reason == "missing_parent":
            said.append(f"waits for {row['_missing_reference'] or ', '.join(row['_fields'])}")
        elif reason == "missing_required":
            said.append(f"lacks {_fields(row, missing=True)}")
        elif reason == "out_of_range":
            said.append(f"impossible {_fields(row, missing=False)}")
        else:
            said.append(reason.replace("_", " "))
    return "; ".join(said)


def _fields(row: dict[str, Any], *, missing: bool) -> str:
    """The fields at fault that are there, with their value, or those that are not."""
    named = [name for name in row["_fields"] if (row.get(name) is None) is missing]
    named = named or row["_fields"]
    if missing:
        return ", ".join(named) or "what it needs"
    return ", ".join(f"{name} {row.get(name)}" for name in named) or "values"


def _place(row: dict[str, Any]) -> str:
    return f"{row['_load_id']}:{row['_position']}"


def _parents(reader: Reader, found: _Versions, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that this one names by key, and whether each counts."""
    from loaders.schema import SOURCE_KEY

    keys = {key: table for table, key in SOURCE_KEY.items() if key != "id"}
    named = [(column, keys[column], row[column]) for column in row if column in keys]
    return [
        {
            "table": f"canonical.{table}",
            "column": column,
            "key": value,
            "is_accepted": bool(
                reader.query(
                    f"select 1 from canonical.{table} where {column} = cast(? as uuid)", [value]
                ).rows
            ),
        }
        for column, table, value in named
        if value is not None and table != found.table
    ]


def _resting(
    reader: Reader, table: str, key_column: str, key: str | None, row: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Marts with rows that name the row, or its post where none names the row itself; and those
    that are made from its table without naming it."""
    if row["_verdict"] != "accepted":
        return [], []
    columns = reader.query(
        "select table_schema || '.' || table_name, column_name from meta.columns "
        "where table_schema = 'marts' and type = 'uuid' order by 1, 2"
    ).rows
    made = reader.query(
        "select table_schema || '.' || table_name, made_from from meta.tables "
        "where table_schema = 'marts' order by 1"
    ).rows
    readers = [
        mart for mart, of in made if of is not None and f"canonical.{table}" in of.split(", ")
    ]
    by, value = (key_column, key)
    if table == "performance_metrics":
        by, value = "post_id", row["post_id"]
    elif table in ("raw_videos", "embeddings"):
        # Their keys are in no mart under their own name.
        by = ""
    naming = [mart for mart, column in columns if column == by]
    counted = []
    for mart in naming:
        ((rows,),) = reader.query(
            f"select count(*) from {mart} where {by} = cast(? as uuid)", [value]
        ).rows
        if rows:
            counted.append({"table": mart, "column": by, "value": value, "rows": rows})
    return counted, [mart for mart in readers if mart not in naming]
