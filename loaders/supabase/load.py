"""One call lands what changed in the operational database, a load for each table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from common.errors import AceError
from common.pgconnect import connect, parse_dsn, place, redact
from loaders.landing import Landing, Load, LoadWriter, Rejected
from loaders.landing.metadata import iso
from loaders.notices import Notices
from loaders.records import Record, type_records
from loaders.schema import ALL_RESOURCES, DEFAULT_OWN_TIME, OWN_TIME, uuid_columns
from loaders.supabase.catalog import DbTable, database_zone, read_catalog, server_identity
from loaders.supabase.keys import SOURCE, keyed
from loaders.supabase.pages import Reader
from loaders.supabase.seen import Seen
from loaders.supabase.versions import (
    Plan,
    Snapshot,
    condition,
    make_cursor,
    make_plan,
    take_snapshot,
)
from loaders.values import Typing, raw_bytes
from loaders.zones import is_ambiguous, is_utc, zone_named

if TYPE_CHECKING:
    import psycopg

ADDRESS = "ACE_SUPABASE_DSN"
#: pg_current_snapshot() and friends came with Postgres 13.
_OLDEST = 130_000


class Paging(Protocol):
    """What gives a table's rows."""

    def pages(self, *, few: bool) -> Iterator[list[dict[str, Any]]]: ...


@dataclass(frozen=True)
class TableResult:
    """What happened to one table. ``load_id`` is None when there was nothing to land."""

    resource: str
    #: ``changes``, ``full`` (every row read), ``missing`` or ``failed``.
    mode: str
    #: Rows the query gave; those equal to the last landed ones are not landed again.
    seen: int = 0
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    load_id: str | None = None
    #: Why everything was read, or what was remarkable.
    note: str | None = None
    error: str | None = None
    #: What was noticed in its values, a sentence each.
    notices: tuple[str, ...] = ()
    #: Columns of times without a zone that were taken for UTC for want of anything better.
    taken_for_utc: tuple[str, ...] = ()
    #: The database's own time zone, where those columns may mean it.
    database_zone: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def load_supabase(
    landing: Landing,
    dsn: str,
    *,
    schema: str = "public",
    full: bool = False,
    backfill: bool = False,
    time_zone: str | None = None,
    progress: Callable[[str], None] | None = None,
    address: str = ADDRESS,
) -> list[TableResult]:
    """Land the rows of the twelve tables that changed since the last load.

    ``full`` reads every row and lands those that differ; ``backfill`` takes each
    row's known-at time from its own clock instead of the time of reading. ``time_zone``
    names the zone of times that state none; it is remembered, so that later loads need
    not say it again, and a table whose times were read in another one is read anew.
    ``address`` names where the DSN came from in messages. A table that cannot be
    read gets a result with ``error`` and the others are still landed. Raises
    AceError when the server cannot be reached or breaks off, or has none of the
    tables; loads committed before stay.
    """
    import psycopg

    zone_named(time_zone)
    parts = parse_dsn(dsn, address)
    # A transaction pooler knows no prepared statements.
    with connect(dsn, address, autocommit=True, prepare_threshold=None) as connection:
        try:
            tables = _tables(connection, schema, place(parts))
            server = server_identity(connection)
            zone = database_zone(connection)
        except psycopg.Error as error:
            raise AceError(
                f"{place(parts)} did not tell what it holds: {redact(str(error), parts)}.",
                f"Check what user {parts.get('user')} may do there.",
            ) from None
        run = Run(landing, connection, parts, server, full, backfill, time_zone, zone)
        results = []
        for resource in ALL_RESOURCES:
            table = tables.get(resource)
            if table is None:
                results.append(TableResult(resource, "missing"))
                continue
            if progress is not None:
                progress(resource)
            results.append(run.table(table))
        run.finish(results)
    return results


def _tables(connection: psycopg.Connection[Any], schema: str, where: str) -> dict[str, DbTable]:
    version = connection.info.server_version
    if version < _OLDEST:
        raise AceError(f"{where} is version {version // 10000}.", "Use Postgres 13 or newer.")
    tables = read_catalog(connection, schema)
    if not tables:
        raise AceError(
            f"{where} has none of the twelve tables in schema '{schema}' of database "
            f"'{connection.info.dbname}'.",
            "Name the right schema with --schema, or the right database in the address.",
        )
    return tables


def _cursors(landing: Landing) -> dict[str, dict[str, Any]]:
    """Resource to the newest cursor of a load or heartbeat; each file is read once."""
    known: list[tuple[datetime, str, str, dict[str, Any]]] = []
    for load in landing.loads(SOURCE):
        if load.cursor is not None:
            known.append((load.landed_at, load.load_id, load.resource, load.cursor))
    for beat in landing.heartbeats(SOURCE):
        known += [(beat.landed_at, beat.load_id, name, c) for name, c in beat.cursors.items()]
    known.sort(key=lambda entry: entry[:2])
    return {resource: cursor for _, _, resource, cursor in known}


class Run:
    """One call of load_supabase: what its tables share."""

    def __init__(
        self,
        landing: Landing,
        connection: Any,
        parts: dict[str, Any],
        server: str,
        full: bool,
        backfill: bool,
        time_zone: str | None,
        database_zone: str | None,
    ) -> None:
        self._time_zone = time_zone
        self._database_zone = database_zone
        self._landing = landing
        self._connection = connection
        self._parts = parts
        self._server = server
        self._full = full
        self._backfill = backfill
        self._cursors = _cursors(landing)
        if not self._cursors:
            landing.prepare()
        #: Cursors of tables without news, for the heartbeat.
        self._quiet: dict[str, dict[str, Any]] = {}
        self._moved = False

    def table(self, table: DbTable) -> TableResult:
        """Land one table; a refusal becomes the result's ``error``."""
        import psycopg

        try:
            return self._land(table)
        except psycopg.Error as error:
            if self._connection.closed:
                raise AceError(
                    f"The connection to {place(self._parts)} broke while reading "
                    f"{table.resource}: {redact(str(error), self._parts)}.",
                    "Run it again: tables landed before are not read again.",
                ) from None
            return TableResult(table.resource, "failed", error=self._refusal(table, error))

    def _land(self, table: DbTable) -> TableResult:
        cursor = self._cursors.get(table.resource)
        now = take_snapshot(self._connection)
        zone = self._time_zone or (cursor or {}).get("time_zone")
        plan = make_plan(table, cursor, self._server, now, full=self._full, time_zone=zone)
        mode = "full" if plan.full else "changes"
        note = plan.reason
        if table.hidden_rows:
            user = self._connection.info.user
            note = f"row-level security decides which rows user {user} sees"
        if plan.idle:
            self._quiet[table.resource] = make_cursor(table, self._server, now, plan, 0, zone)
            return TableResult(table.resource, mode)
        context = {
            "loader": SOURCE,
            "known_at": iso(now.at),
            "options": {"backfill": self._backfill, "time_zone": zone},
        }
        with self._landing.open_load(
            SOURCE, table.resource, input=f"{table.schema}.{table.resource}", context=context
        ) as load:
            pages = TypedPages(self._landing, table, plan, now, load, self._backfill, zone)
            seen = pages.land(Reader(self._connection, table, condition(table, plan, now)))
            position = make_cursor(table, self._server, now, plan, seen, zone)
            said = self._said(table, zone, pages)
            error = self._all_rejected(table, plan, pages)
            landed = load.accepted + load.rejected
            emptied = plan.full and not seen and self._had_rows(table.resource, cursor)
            if not landed and not emptied:
                self._quiet[table.resource] = position
                if cursor is not None and plan.full:
                    # Keep what was learned at the cost of a full read.
                    self._moved = self._moved or (table.versioned and not table.hidden_rows)
                return TableResult(table.resource, mode, seen, note=note, error=error, **said)
            done = load.commit(position)
        if emptied:
            note = "it was empty, though rows of it were landed before"
        return replace(result_of(done, mode, seen, note), error=error, **said)

    def _said(self, table: DbTable, zone: str | None, pages: TypedPages) -> dict[str, Any]:
        """What was noticed, as fields of the result."""
        found: dict[str, Any] = {"notices": tuple(pages.sentences())}
        own = self._database_zone
        if zone is None and pages.rows and table.unzoned and own and not is_utc(own):
            found |= {"taken_for_utc": table.unzoned, "database_zone": own}
        return found

    def _all_rejected(self, table: DbTable, plan: Plan, pages: TypedPages) -> str | None:
        """An error where nothing of a table could be read: its shape is not understood."""
        if not pages.rows or pages.rejected < pages.rows:
            return None
        if not plan.full and self._had_rows(table.resource, None):
            return None
        which = "the one row" if pages.rows == 1 else f"all {pages.rows:,} rows"
        return (
            f"{table.schema}.{table.resource}: {which} that it has had to be rejected "
            f"({pages.reason}). See them with 'ace quarantine list'."
        )

    def _had_rows(self, resource: str, cursor: dict[str, Any] | None) -> bool:
        """Rows were landed before, and the last full read was not already empty."""
        if cursor is not None and cursor.get("rows") == 0:
            return False
        return any(load.accepted for load in self._landing.loads(SOURCE, resource))

    def _refusal(self, table: DbTable, error: psycopg.Error) -> str:
        import psycopg

        name = f"{table.schema}.{table.resource}"
        user = self._connection.info.user
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return (
                f"User {user} may not read {name}. "
                f"Grant it: grant usage on schema {table.schema} to {user}; "
                f"grant select on {name} to {user};"
            )
        if isinstance(error, psycopg.errors.QueryCanceled):
            return (
                f"The server stopped reading {name} (its statement timeout). "
                "Use a role with a longer one, or the direct connection."
            )
        return f"{name} cannot be read: {redact(str(error), self._parts)}."

    def finish(self, results: list[TableResult]) -> None:
        """A heartbeat when no table had news, or one's cursor is worth keeping.

        None when a table could not be read: it says that the source is known up to now.
        """
        failed = any(r.mode == "failed" for r in results)
        landed = any(r.load_id for r in results)
        if not failed and (not landed or self._moved):
            self._landing.heartbeat(SOURCE, self._quiet)


class TypedPages:
    """Types pages and writes what is new of them into one load."""

    def __init__(
        self,
        landing: Landing,
        table: DbTable,
        plan: Plan,
        now: Snapshot,
        load: LoadWriter,
        backfill: bool,
        time_zone: str | None,
    ) -> None:
        self._zone = zone_named(time_zone)
        self._numbers = [
            column.name
            for column in table.columns
            if column.name in uuid_columns(table.resource) and column.type != "uuid"
        ]
        self._notices = Notices()
        self._ambiguous = 0
        self._numbered: Counter[str] = Counter()
        self._deleted: Counter[str] = Counter()
        #: Rows read, those that could not be typed, and why the first of them could not.
        self.rows = 0
        self.rejected = 0
        self.reason = ""
        self._landing = landing
        self._table = table
        self._plan = plan
        self._now = now
        self._load = load
        self._backfill = backfill
        self._seen: Seen | None = None
        self._next = 0

    def known_at(self, at: datetime) -> None:
        """The pages from here on were read then."""
        self._now = replace(self._now, at=at)

    def land(self, reader: Paging) -> int:
        """Write every page; returns how many rows were read."""
        for page in reader.pages(few=not self._plan.full):
            self.rows += len(page)
            self._page(page)
        return self.rows

    def sentences(self) -> list[str]:
        """What was noticed in the rows, as sentences."""
        found = self._notices.sentences()
        for column, rows in self._numbered.items():
            found.append(
                f"{column} holds no uuids ({rows:,} values): each stands for a key derived from "
                "it, and so do references to it; the values are kept in _extra."
            )
        if self._ambiguous:
            found.append(
                f"Times in an hour that clocks in {self._zone} showed twice: "
                f"{self._ambiguous:,}. They were taken for the first."
            )
        for column, rows in self._deleted.items():
            found.append(
                f"Rows that {column} marks as deleted in the database: {rows:,}. Deletions are "
                f"not followed, so they stay, with {column} in _extra."
            )
        return found

    def _page(self, page: list[dict[str, Any]]) -> None:
        resource = self._table.resource
        typing = Typing(time_zone=self._zone, notices=self._notices)
        frame, rejected = type_records(resource, self._records(page), typing=typing)
        # As the database has them: what was derived is derived again by a retry.
        rejected = [replace(one, raw=raw_bytes(page[one.position])) for one in rejected]
        self.rejected += len(rejected)
        self.reason = self.reason or next((one.reason for one in rejected), "")
        self._load.null_characters += typing.null_characters
        if self._plan.compare:
            if self._seen is None:
                self._seen = Seen(self._landing, SOURCE, resource)
            frame, rejected = self._seen.changed(frame), self._seen.news(rejected)
        frame, rejected = self._placed(frame, rejected)
        if self._backfill:
            own = pl.coalesce(OWN_TIME.get(resource, DEFAULT_OWN_TIME))
        else:
            own = pl.lit(self._now.at)
        known = own.cast(pl.Datetime("us", "UTC")).alias("_extracted_at")
        self._load.write(frame.with_columns(known))
        self._load.reject(rejected)

    def _records(self, page: list[dict[str, Any]]) -> Iterator[Record]:
        watched = self._table.unzoned if self._zone is not UTC else ()
        for row in page:
            values, own = keyed(self._table.resource, row, self._numbers)
            self._numbered.update(own.keys())
            self._deleted.update(n for n in self._table.deletion_marks if _is_set(row.get(n)))
            self._ambiguous += sum(_is_ambiguous(row.get(name), self._zone) for name in watched)
            yield Record(values, extra=own or None)

    def _placed(
        self, frame: pl.DataFrame, rejected: list[Rejected]
    ) -> tuple[pl.DataFrame, list[Rejected]]:
        """Positions without gaps: rows that were not news take up none."""
        old = sorted([*frame["_position"].to_list(), *(r.position for r in rejected)])
        if not old:
            return frame, rejected
        new = {position: self._next + i for i, position in enumerate(old)}
        self._next += len(old)
        frame = frame.with_columns(
            pl.col("_position").replace_strict(new, return_dtype=pl.Int64).alias("_position")
        )
        moved = [Rejected(new[r.position], r.raw, r.reason, r.field) for r in rejected]
        return frame, moved


def _is_set(mark: Any) -> bool:
    """Whether a mark of deletion is on: a time, or true."""
    return mark not in (None, False, 0, "", "false", "f", "0", "no")


def _is_ambiguous(value: Any, zone: tzinfo) -> bool:
    try:
        return isinstance(value, str) and is_ambiguous(datetime.fromisoformat(value), zone)
    except ValueError:
        return False


def result_of(load: Load, mode: str, seen: int, note: str | None, **said: Any) -> TableResult:
    """The result of a table whose load is committed."""
    return TableResult(
        resource=load.resource,
        mode=mode,
        seen=seen,
        read=load.read,
        accepted=load.accepted,
        rejected=load.rejected,
        load_id=load.load_id,
        note=note,
        **said,
    )
