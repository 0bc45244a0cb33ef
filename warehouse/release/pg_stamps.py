"""What of a build was written since the last release, told without reading the values of rows.

A relation's stamp is made of the tables that it reads, through views: which table, how many rows,
and the sum of the transactions that wrote them; and of the definitions of the views. A row that
was written since has a later transaction than any that was there, so that the same number of rows
has the same sum only where nothing was written.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from common.pgconnect import own_sql

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

#: What each relation reads, itself included.
READS = """
with recursive reads (relation, oid) as (
    select r.relation, r.relation::regclass::oid from unnest(%s::text[]) as r (relation)
    union
    select reads.relation, d.refobjid
    from reads
    join pg_rewrite as w on w.ev_class = reads.oid
    join pg_depend as d
        on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
        and d.refclassid = 'pg_class'::regclass and d.refobjid <> reads.oid
)
select reads.relation, c.oid, format('%%I.%%I', n.nspname, c.relname), c.relkind,
    case c.relkind when 'v' then pg_get_viewdef(c.oid) end
from reads
join pg_class as c on c.oid = reads.oid
join pg_namespace as n on n.oid = c.relnamespace
order by reads.relation, 3
"""
#: The transaction that wrote a row, in 64 bits: `xmin` has 32, and `age` counts back from now.
#: One that is two thousand million transactions old may look newer than it is, never older.
WRITTEN_BY = "(select pg_current_xact_id()::text::bigint) - age(xmin)"


@dataclass(frozen=True)
class Table:
    """A table that a relation reads: its rows, and how many were written since."""

    name: str
    rows: int
    newer: int


@dataclass(frozen=True)
class Stamp:
    """What a relation was made from; empty where that cannot be told (a foreign table)."""

    contents: str = ""
    #: Of the views alone.
    definitions: str = ""
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True)
class MadeFrom:
    """What a relation was made from when it was published, and its rows."""

    contents: str
    definitions: str
    rows: int
    #: Transactions before this one had ended then.
    since: int


def stamps(
    connection: Connection, relations: list[str], before: dict[str, MadeFrom]
) -> dict[str, Stamp]:
    """The stamp of each relation; rows count as newer than the last publication, ``before``."""
    since = min((one.since for one in before.values()), default=0)
    definitions, contents = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    tables: defaultdict[str, list[Table]] = defaultdict(list)
    counted: dict[int, tuple[Table, str]] = {}
    unknown = set()
    for relation, oid, name, kind, definition in connection.execute(READS, (relations,)).fetchall():
        if kind == "v":
            definitions[relation].append(definition)
        elif kind != "r":
            unknown.add(relation)
        else:
            if oid not in counted:
                row = connection.execute(
                    own_sql(
                        f"select count(*), count(*) filter (where {WRITTEN_BY} >= %s), "
                        f"sum({WRITTEN_BY}) from {name}"
                    ),
                    (since,),
                ).fetchone()
                assert row is not None
                counted[oid] = Table(name, row[0], row[1]), f"{oid} {row[0]} {row[2]}"
            tables[relation].append(counted[oid][0])
            contents[relation].append(counted[oid][1])
    return {
        one: Stamp(
            _digest(definitions[one] + contents[one]), _digest(definitions[one]), tables[one]
        )
        for one in relations
        if one not in unknown
    }


def _digest(lines: list[str]) -> str:
    return hashlib.md5("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


def published(connection: Connection) -> dict[str, MadeFrom]:
    """What each relation was made from when the last release was published."""
    rows = connection.execute(
        "select relation, contents, definitions, rows, since from release.made_from"
    ).fetchall()
    return {row[0]: MadeFrom(*row[1:]) for row in rows}


def record(connection: Connection, found: dict[str, Stamp], rows: dict[str, int]) -> None:
    """Keep what a release was made from, instead of what was kept before."""
    row = connection.execute("select pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    assert row is not None
    connection.execute("delete from release.made_from")
    with connection.cursor().copy("copy release.made_from from stdin") as copy:
        for one, stamp in found.items():
            copy.write_row((one, stamp.contents, stamp.definitions, rows[one], int(row[0])))


@dataclass(frozen=True)
class Part:
    """Where rows of a relation may have changed: groups with one value of ``column`` each."""

    column: str
    #: The table whose rows, and with them the relation's, changed only if they are newer.
    base: str
    since: int


def changed_part(
    schema: str, names: list[str], stamp: Stamp | None, before: MadeFrom | None
) -> Part | None:
    """The part of a relation with these columns that has to be compared; None for all of it.

    Tables, and canonical views, each of whose rows is a row of the one table they read.
    """
    if stamp is None or before is None or stamp.definitions != before.definitions:
        return None
    if len(stamp.tables) != 1 or (stamp.definitions != _digest([]) and schema != "canonical"):
        return None
    [base] = stamp.tables
    if base.newer * 4 > base.rows:
        return None
    return Part("post_id" if "post_id" in names else names[0], base.name, before.since)
