"""The history of builds in Postgres: a table beside the bookkeeping of the last build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.pgconnect import own_sql
from warehouse.release.pg_public import make_schema
from warehouse.release.runs import COLUMN_TYPES, NAMES, Run, row

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]


def ensure_runs(connection: Connection) -> None:
    make_schema(connection, "build_meta")
    connection.execute(own_sql(f"create table if not exists build_meta.runs ({COLUMN_TYPES})"))


def read_runs(connection: Connection) -> list[Run]:
    """Oldest first."""
    rows = connection.execute(
        own_sql(f"select {', '.join(NAMES)} from build_meta.runs order by began_at, run_id")
    ).fetchall()
    return [Run(**dict(zip(NAMES, values, strict=True))) for values in rows]


def write_runs(connection: Connection, runs: list[Run]) -> None:
    """Change what differs from ``runs``."""
    before = {one.run_id: one for one in read_runs(connection)}
    changed = [one for one in runs if before.get(one.run_id) != one]
    gone = [*(before.keys() - {one.run_id for one in runs}), *(one.run_id for one in changed)]
    connection.execute("delete from build_meta.runs where run_id = any(%s)", (gone,))
    marks = ", ".join("%s" for _ in NAMES)
    with connection.cursor() as cursor:
        cursor.executemany(
            own_sql(f"insert into build_meta.runs ({', '.join(NAMES)}) values ({marks})"),
            [row(one) for one in changed],
        )
