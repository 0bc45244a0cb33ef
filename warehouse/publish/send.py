"""Sending the rows of one table that are not there yet, and taking away those that are gone.

Beside each published table lies one, in the private schema, with the key and the hash of every row
that was sent. Rows are compared by it, changed ones written over by key, and no reader ever waits:
nothing here takes more than the locks of INSERT, UPDATE and DELETE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.errors import AceError
from common.pgconnect import own_sql
from warehouse.publish.rows import Source, Table, buckets_for

if TYPE_CHECKING:
    import numpy as np

    from warehouse.publish.session import Connection

    Hashes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Sent:
    """What became of a table: its rows now, how many were sent and how many taken away."""

    rows: int
    sent: int = 0
    removed: int = 0


def send(connection: Connection, source: Source, table: Table, into: str, beside: str) -> Sent:
    """Make the rows of ``into`` those of the release; ``beside`` is its table of hashes.

    AceError when the server does not take a row, or does not have all of them in the end.
    """
    rows = source.count(table)
    there = _count(connection, beside)
    if there != _count(connection, into):
        # Somebody added or deleted rows by hand: what is there cannot be told from the hashes.
        connection.execute(own_sql(f"delete from {into}"))
        connection.execute(own_sql(f"delete from {beside}"))
        there = 0
    buckets = buckets_for(max(rows, there))
    changed = _changed(connection, source, table, beside, buckets) if there else None
    if changed == []:
        return Sent(rows)
    known = _hashes(connection, beside, buckets, changed)
    sent, stale = _copy(connection, source, table, into, (buckets, changed), known)
    removed = _take_away(connection, table, into, beside, stale)
    _put_in(connection, table, into, beside)
    connection.execute("drop table sent, stale")
    has = _count(connection, into)
    if has != rows:
        raise AceError(
            f"{table.schema}.{table.name} has {rows:,} rows, and {has:,} arrived.",
            "What was published before stays; look for triggers on the table there, and for rows "
            "with the same key here.",
        )
    return Sent(rows, sent, removed)


def _count(connection: Connection, relation: str) -> int:
    row = connection.execute(own_sql(f"select count(*) from {relation}")).fetchone()
    assert row is not None
    return int(row[0])


def _changed(
    connection: Connection, source: Source, table: Table, beside: str, buckets: int
) -> list[int]:
    """The buckets whose rows are not those of the release."""
    found = connection.execute(
        own_sql(f"select _hash & {buckets - 1}, count(*), sum(_hash) from {beside} group by 1")
    ).fetchall()
    theirs = {int(row[0]): (int(row[1]), int(row[2])) for row in found}
    ours = source.digest(table, buckets)
    return sorted(one for one in ours.keys() | theirs.keys() if ours.get(one) != theirs.get(one))


def _hashes(connection: Connection, beside: str, buckets: int, changed: list[int] | None) -> Hashes:
    """The hashes of rows that are there, of the changed buckets, in order."""
    import numpy as np

    where = "" if changed is None else f"where (_hash & {buckets - 1}) = any(%s)"
    given = None if changed is None else (changed,)
    with connection.cursor() as cursor:
        rows = cursor.stream(own_sql(f"select _hash from {beside} {where}"), given, size=10_000)
        return np.sort(np.fromiter((row[0] for row in rows), np.int64))


def _copy(
    connection: Connection,
    source: Source,
    table: Table,
    into: str,
    part: tuple[int, list[int] | None],
    known: Hashes,
) -> tuple[int, Hashes]:
    """Send the rows whose hashes are not known; returns their number, and the hashes no row has."""
    import numpy as np

    names = ", ".join(f'"{name}"' for name in table.columns)
    connection.execute(
        own_sql(
            f"create temporary table sent on commit drop as select {names}, "
            f"0::bigint as _hash from {into} limit 0"
        )
    )
    seen = np.zeros(len(known), np.bool_)
    sent = 0
    with connection.cursor().copy(own_sql(f"copy sent ({names}, _hash) from stdin")) as copy:
        for batch in source.lines(table, *part):
            hashes = np.fromiter((one for one, _ in batch), np.int64, len(batch))
            is_there = np.zeros(len(batch), np.bool_)
            if len(known):
                at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
                is_there = known[at] == hashes
                seen[at[is_there]] = True
            for number in np.flatnonzero(~is_there):
                hashed, line = batch[number]
                copy.write(f"{line}\t{hashed}\n")
                sent += 1
    connection.execute("analyze sent")
    return sent, known[~seen]


def _take_away(connection: Connection, table: Table, into: str, beside: str, stale: Hashes) -> int:
    """Delete the rows that the release does not have; those it has otherwise are written over."""
    connection.execute("create temporary table stale (_hash bigint) on commit drop")
    with connection.cursor().copy("copy stale from stdin") as copy:
        for one in stale.tolist():
            copy.write(f"{one}\n")
    connection.execute("analyze stale")
    key = ", ".join(f'b."{name}"' for name in table.key)
    done = connection.execute(
        own_sql(
            f"with gone as (delete from {beside} as b using stale as s where b._hash = s._hash "
            f"and not exists (select 1 from sent where {_same(table, 'sent', 'b')}) "
            f"returning {key}) "
            f"delete from {into} as t using gone where {_same(table, 't', 'gone')}"
        )
    )
    return done.rowcount


def _put_in(connection: Connection, table: Table, into: str, beside: str) -> None:
    key = ", ".join(f'"{name}"' for name in table.key)
    values = [f'"{name}"' for name in table.columns if name not in table.key]
    names = ", ".join([key, *values])
    for target, columns, changing in ((into, names, values), (beside, f"{key}, _hash", ["_hash"])):
        written = ", ".join(f"{one} = excluded.{one}" for one in changing)
        action = f"do update set {written}" if written else "do nothing"
        connection.execute(
            own_sql(
                f"insert into {target} ({columns}) select {columns} from sent "
                f"on conflict ({key}) {action}"
            )
        )


def _same(table: Table, left: str, right: str) -> str:
    return " and ".join(f'{left}."{name}" = {right}."{name}"' for name in table.key)
