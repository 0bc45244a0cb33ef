"""Row versions: which rows changed since the last load.

Every row carries the number of the transaction that wrote it (``xmin``), and a
snapshot says which transactions were finished: all below its own xmin, none from its
xmax on. A load takes the rows written from the last snapshot's xmin up to its own
snapshot's xmax. What was still open then is at least that xmin, so it is seen next
time whenever it commits; what commits while pages are read is at least this xmax.

Numbers in rows have 32 bits, snapshots 64. The distance of a row from the counter is
exact modulo 2^32; a row last written more than 2^32 transactions ago may look young
and be landed twice, which is harmless. None can look old without being so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loaders.supabase.catalog import DbTable

if TYPE_CHECKING:
    import psycopg

#: So many transactions later row versions say nothing any more.
WRAP = 2**32


@dataclass(frozen=True)
class Snapshot:
    """The transaction counter at one moment, and the server's clock then."""

    xmin: int
    xmax: int
    at: datetime


def take_snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    row = connection.execute(
        "select pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint, "
        "(extract(epoch from statement_timestamp()) * 1000000)::bigint "
        "from (select pg_current_snapshot() as s) as now"
    ).fetchone()
    assert row is not None
    from datetime import UTC, timedelta

    return Snapshot(row[0], row[1], datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, 0, row[2]))


@dataclass(frozen=True)
class Plan:
    """What to read of a table, and whether to compare it with what was landed."""

    #: Every row (else those changed since ``since``).
    full: bool
    #: Land only rows that differ from the last landed ones.
    compare: bool
    #: Nothing can have changed: do not even ask.
    idle: bool = False
    since: int | None = None
    reason: str | None = None


def make_plan(
    table: DbTable,
    cursor: dict[str, Any] | None,
    server: str,
    now: Snapshot,
    *,
    full: bool,
    time_zone: str | None = None,
) -> Plan:
    """How to read a table, given where the last load of it ended. ``time_zone`` is the one
    that its times without a zone are read in."""
    if cursor is None:
        # With landed rows but no cursor (they came by a retry) comparing does no harm.
        return Plan(full=True, compare=True, reason="first load")
    if full:
        return Plan(full=True, compare=True, reason="asked for with --full")
    if not table.versioned:
        return Plan(full=True, compare=True, reason="a view has no row versions")
    if table.hidden_rows:
        return Plan(full=True, compare=True, reason="row-level security may hide rows")
    if cursor.get("server") != server:
        return Plan(full=True, compare=True, reason="another server, or a restored one")
    if cursor.get("table") != table.storage:
        return Plan(full=True, compare=True, reason="the table was made anew")
    if cursor.get("columns") != table.fingerprint:
        return Plan(full=True, compare=True, reason="its columns changed")
    if table.unzoned and (time_zone or "UTC") != (cursor.get("time_zone") or "UTC"):
        return Plan(full=True, compare=True, reason="its times are read in another time zone")
    since, until = cursor.get("xmin"), cursor.get("xmax")
    if not isinstance(since, int) or not isinstance(until, int):
        return Plan(full=True, compare=True, reason="no row version was kept")
    if now.xmax < until or now.xmin < since:
        return Plan(full=True, compare=True, reason="the server's counter went back")
    if now.xmax - since >= WRAP:
        return Plan(full=True, compare=True, reason="too many transactions since the last load")
    return Plan(full=False, compare=since < until, idle=now.xmax == since, since=since)


def make_cursor(
    table: DbTable,
    server: str,
    now: Snapshot,
    plan: Plan,
    rows: int,
    time_zone: str | None = None,
) -> dict[str, Any]:
    """Where the next load continues; ``full`` and ``rows`` are for quality checks."""
    cursor: dict[str, Any] = {"server": server, "table": table.storage}
    cursor |= {"columns": table.fingerprint, "xmin": now.xmin, "xmax": now.xmax}
    if time_zone is not None:
        cursor["time_zone"] = time_zone
    if plan.full:
        cursor |= {"full": True, "rows": rows}
    return cursor


_AGE = (
    "((select pg_snapshot_xmax(pg_current_snapshot())::text::bigint) "
    "- xmin::text::bigint & 4294967295)"
)
_NOW = "(select pg_snapshot_xmax(pg_current_snapshot())::text::bigint)"


def condition(table: DbTable, plan: Plan, now: Snapshot) -> str | None:
    """SQL that is true for the rows to read; None when all are."""
    if not table.versioned:
        return None
    # What was written after the snapshot is left to the next load: it was not known yet.
    parts = [f"{_AGE} > {_NOW} - {now.xmax}"]
    if plan.since is not None:
        parts.append(f"{_AGE} <= {_NOW} - {plan.since}")
    return " and ".join(parts)
