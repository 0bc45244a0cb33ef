"""Landed files into Postgres: ``raw.<source>__<resource>``, one transaction a file.

A file's rows and their ``raw._loads`` rows become visible together or not at all, so
a copy that was killed is simply continued. Landing can rebuild ``raw`` from nothing:
``drop schema raw cascade`` and copy again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from common.errors import AceError
from common.pgconnect import connect, parse_dsn, place, redact
from common.pgsession import application_name, prepare
from loaders.landing import Heartbeat, Landing, Load
from loaders.schema import SOURCES, polars_schema
from warehouse.build.pgcopy import HEADER, TRAILER, encode_rows

if TYPE_CHECKING:
    import psycopg

#: Key of the transaction's advisory lock: copies run one behind the other.
_LOCK = 0x0ACE_0C09
_BATCH_ROWS = 65_536
_ADDRESS = "ACE_POSTGRES_URL"
#: The version of Postgres from which everything used here and in the models exists.
_OLDEST = 150_000

_LOADS = {
    "load_id": "text",
    "source": "text",
    "resource": "text",
    "account": "text",
    "landed_at": "timestamptz",
    "read": "bigint",
    "accepted": "bigint",
    "rejected": "bigint",
    "recovered": "bigint",
    "known_at_min": "timestamptz",
    "known_at_max": "timestamptz",
    "file": "text",
}
_HEARTBEATS = {"load_id": "text", "source": "text", "landed_at": "timestamptz"}
#: Copied loads that are not in landing now: builds do not see them.
_GONE = {"load_id": "text"}


@dataclass(frozen=True)
class CopyResult:
    """What one call copied: loads (files may hold several), their rows, heartbeats."""

    loads: int
    rows: int
    heartbeats: int
    #: What is wrong with files that could not be copied; the others were.
    left_out: tuple[str, ...] = ()


def copy_new_loads(
    landing: Landing, postgres_url: str, *, progress: Callable[[str], None] | None = None
) -> CopyResult:
    """Copy every landed load that ``raw._loads`` does not list yet.

    Makes the schema ``raw`` with a table for each source and resource (also those
    without loads), ``raw._loads`` and ``raw._heartbeats``, and adds columns that an
    older table lacks. Loads that were taken out of landing again (``ace load --undo``) are
    deleted; loads whose files vanished or cannot be read are hidden from builds, but their
    rows stay until the files come back. ``progress`` gets one line per file. Raises AceError
    when the server cannot be reached or refuses; what was copied before stays and is not
    copied again.
    """
    import psycopg

    parts = parse_dsn(postgres_url, _ADDRESS)
    session = connect(postgres_url, _ADDRESS, autocommit=True, application=application_name())
    with session as connection, landing.shared_lock():
        try:
            prepare(connection)
            return _copy(connection, landing, progress)
        except psycopg.Error as error:
            raise _explain(error, parts) from None


def _copy(
    connection: psycopg.Connection[Any],
    landing: Landing,
    progress: Callable[[str], None] | None,
) -> CopyResult:
    with connection.transaction():
        _begin(connection)
        _make_tables(connection)
    loads = landing.loads()
    known = _known(connection)
    files: dict[str, list[Load]] = {}
    for load in loads:
        if load.load_id not in known:
            files.setdefault(load.file, []).append(load)
    copied = rows = 0
    left_out = []
    for number, held in enumerate(files.values(), start=1):
        try:
            with connection.transaction():
                _begin(connection)
                # Another copy may have come first while this one waited for the lock.
                known_now = _known(connection, [load.load_id for load in held])
                fresh = [load for load in held if load.load_id not in known_now]
                if not fresh:
                    continue
                rows += _copy_file(connection, landing, fresh)
                _note_loads(connection, fresh)
        except _DamagedFile as damaged:
            left_out.append(f"{damaged.message} It is left out. {damaged.hint}")
            continue
        copied += len(fresh)
        if progress is not None:
            name = f"{fresh[0].source}.{fresh[0].resource}"
            progress(f"copied {name} to Postgres (file {number} of {len(files)})")
    beats = _finish(connection, loads, known, landing.heartbeats())
    _follow_removals(connection, {load.load_id for load in loads}, landing.undone())
    return CopyResult(copied, rows, beats, tuple(left_out))


class _DamagedFile(AceError):
    """A landed file whose rows cannot be read: the others are copied all the same."""


def _begin(connection: psycopg.Connection[Any]) -> None:
    # A lost commit only means that the file is copied again: no need to wait for the disk.
    connection.execute("set local synchronous_commit = off")
    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])


def _pg_type(kind: pl.DataType) -> str:
    if isinstance(kind, pl.List):
        return "text[]"
    if isinstance(kind, pl.Datetime):
        return "timestamptz"
    return {pl.String(): "text", pl.Int64(): "bigint", pl.Float64(): "double precision"}[kind]


def table_name(source: str, resource: str) -> str:
    """Name of a resource's table in the schema ``raw``."""
    return f"{source}__{resource}"


def _wanted() -> dict[str, dict[str, str]]:
    """Table to its columns and their Postgres types."""
    tables = {
        table_name(source, resource): {
            name: _pg_type(kind) for name, kind in polars_schema(resource).items()
        }
        for source, resources in SOURCES.items()
        for resource in resources
    }
    return tables | {"_loads": _LOADS, "_heartbeats": _HEARTBEATS, "_gone": _GONE}


_COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class c
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = to_regnamespace('raw') and c.relkind in ('r', 'p')
"""
_SAME_TYPES = {"timestamp with time zone": "timestamptz"}


def _make_tables(connection: psycopg.Connection[Any]) -> None:
    from psycopg import sql

    if connection.info.server_version < _OLDEST:
        raise AceError(
            f"The server is Postgres {connection.info.server_version // 10000}.",
            "Use Postgres 15 or newer.",
        )
    exists = connection.execute("select to_regnamespace('raw') is not null").fetchone()
    if exists is not None and not exists[0]:
        connection.execute("create schema raw")
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(_COLUMNS):
        columns = found.setdefault(table, {})
        if column is not None:
            columns[column] = _SAME_TYPES.get(kind, kind)
    for table, wanted in _wanted().items():
        target = sql.Identifier("raw", table)
        if table not in found:
            defined = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
                for name, kind in wanted.items()
            )
            key = sql.SQL(", primary key (load_id)" if table.startswith("_") else "")
            connection.execute(sql.SQL("create table {} ({}{})").format(target, defined, key))
            continue
        for name, kind in wanted.items():
            has = found[table].get(name)
            if has is None:
                add = sql.SQL("alter table {} add column {} {}")
                connection.execute(add.format(target, sql.Identifier(name), sql.SQL(kind)))
            elif has != kind:
                raise AceError(
                    f"Column {name} of raw.{table} is of type {has}, not {kind}.",
                    "Run 'drop schema raw cascade' in that database and load again: "
                    "everything in it comes from the landing zone.",
                )


def _known(connection: psycopg.Connection[Any], wanted: list[str] | None = None) -> dict[str, str]:
    """Load id to file of the loads copied so far (of those wanted)."""
    query = "select load_id, file from raw._loads"
    if wanted is None:
        return dict(connection.execute(query))
    return dict(connection.execute(query + " where load_id = any(%s)", [wanted]))


def _copy_file(connection: psycopg.Connection[Any], landing: Landing, loads: list[Load]) -> int:
    from psycopg import sql

    load = loads[0]
    columns = list(polars_schema(load.resource))
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier("raw", table_name(load.source, load.resource)),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    expected = sum(load.accepted for load in loads)
    counted = [0]
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(HEADER)
            for chunk in _ahead(_chunks(landing, loads, columns, counted)):
                copy.write(chunk)
            copy.write(TRAILER)
    except (pa.ArrowException, OSError) as error:
        raise _DamagedFile(
            f"The landed file {load.file} cannot be read: {' '.join(str(error).split())[:200]}.",
            "Restore it from a copy, or move it out of the landing zone and load its input again.",
        ) from None
    if counted[0] != expected:
        raise _DamagedFile(
            f"The landed file {load.file} holds {counted[0]} rows of loads that have {expected}.",
            "Restore it from a copy, or move it out of the landing zone and load its input again.",
        )
    return expected


def _chunks(
    landing: Landing, loads: list[Load], columns: list[str], counted: list[int]
) -> Iterator[memoryview]:
    """The loads' rows, encoded; ``counted[0]`` counts them."""
    load = loads[0]
    name = f"{load.source}/{load.resource}/{load.file.rsplit('/', 1)[-1]}"
    ids = {load.load_id for load in loads}
    partial = {load.load_id for load in landing.file_loads(name)} != ids
    with landing.storage.reader(name) as file:
        for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
            if partial:
                mine = pl.Series(batch["_load_id"]).is_in(sorted(ids)).to_arrow()
                batch = batch.filter(mine)
            counted[0] += batch.num_rows
            yield from encode_rows(_aligned(batch, columns))


def _aligned(batch: pa.RecordBatch, columns: list[str]) -> pa.RecordBatch:
    """Today's columns in order; those an older file lacks are null."""
    has = set(batch.schema.names)
    arrays = [batch[c] if c in has else pa.nulls(batch.num_rows, pa.string()) for c in columns]
    return pa.RecordBatch.from_arrays(arrays, columns)


def _ahead(chunks: Iterator[memoryview]) -> Iterator[memoryview]:
    """The same chunks, the next one made on a thread while the last one is sent."""
    with ThreadPoolExecutor(1, "raw-copy") as pool:
        following = pool.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = pool.submit(next, chunks, None)
            yield chunk


def _note_loads(connection: psycopg.Connection[Any], loads: list[Load]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into raw._loads ({', '.join(_LOADS)}) "
            f"values ({', '.join('%s' for _ in _LOADS)})",
            [[getattr(load, column) for column in _LOADS] for load in loads],
        )


def _finish(
    connection: psycopg.Connection[Any],
    loads: list[Load],
    known: dict[str, str],
    heartbeats: list[Heartbeat],
) -> int:
    """Follow compaction (a load's file may have changed) and copy the heartbeats."""
    moved = [(x.file, x.load_id) for x in loads if known.get(x.load_id, x.file) != x.file]
    with connection.transaction(), connection.cursor() as cursor:
        _begin(connection)
        cursor.executemany("update raw._loads set file = %s where load_id = %s", moved)
        cursor.execute("select load_id from raw._heartbeats")
        have = {row[0] for row in cursor}
        fresh = [(b.load_id, b.source, b.landed_at) for b in heartbeats if b.load_id not in have]
        here = [beat.load_id for beat in heartbeats]
        cursor.execute("delete from raw._heartbeats where load_id <> all(%s)", [here])
        cursor.executemany("insert into raw._heartbeats values (%s, %s, %s)", fresh)
    return len(fresh)


def _follow_removals(
    connection: psycopg.Connection[Any], landed: set[str], undone: set[str]
) -> None:
    """Delete what was undone, hide what vanished, show what came back."""
    from psycopg import sql

    with connection.transaction():
        _begin(connection)
        copied = connection.execute("select load_id, source, resource from raw._loads").fetchall()
        gone = [(load, table_name(source, kind)) for load, source, kind in copied
                if load not in landed]  # fmt: skip
        for load, table in gone:
            if load in undone:
                for name, column in ((table, "_load_id"), ("_loads", "load_id")):
                    delete = sql.SQL("delete from {} where {} = %s").format(
                        sql.Identifier("raw", name), sql.Identifier(column)
                    )
                    connection.execute(delete, [load])
        hidden = [load for load, _ in gone if load not in undone]
        connection.execute("delete from raw._gone where load_id <> all(%s)", [hidden])
        connection.execute(
            "insert into raw._gone select unnest(%s::text[]) on conflict do nothing", [hidden]
        )


def _explain(error: psycopg.Error, parts: dict[str, Any]) -> AceError:
    import psycopg

    where, user = place(parts), parts.get("user") or "the current user"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return AceError(
            f"{where} does not let user {user} write the schema raw: {redact(str(error), parts)}.",
            "Grant it CREATE on the database, or use the owner of schema raw.",
        )
    if isinstance(error, psycopg.errors.DiskFull):
        return AceError(f"The disk of {where} is full.", "Free some space there and try again.")
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return AceError(f"{where} is read-only (a replica?).", f"Point {_ADDRESS} at the primary.")
    if isinstance(error, psycopg.OperationalError):
        return AceError(
            f"The connection to {where} broke while copying: {redact(str(error), parts)}.",
            "Run it again: what was copied before stays, nothing half was kept.",
        )
    return AceError(
        f"{where} refused the copy: {redact(str(error), parts)}.",
        "Run it again; if it fails again, 'drop schema raw cascade' there and load again.",
    )
