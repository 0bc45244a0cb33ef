"""One publication: every table of the release, and the row that says which release it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from common.pgconnect import own_sql
from repositories.columns import Kind
from repositories.release import Release
from repositories.values import plain
from warehouse.publish import access
from warehouse.publish.contracts import contracts
from warehouse.publish.rows import TYPES, Source, Table, tables
from warehouse.publish.send import Sent, send
from warehouse.publish.session import Target, writing
from warehouse.publish.shape import Shape, drop, published
from warehouse.release.pg_public import make_schema

if TYPE_CHECKING:
    from repositories.reader import Reader
    from warehouse.publish.session import Connection

#: The table that says which release is there.
ROW = "publication"
_ABOUT = "Which release these tables hold; one row."
#: Its columns besides the key: their kinds, and what they say.
COLUMNS: dict[str, tuple[Kind, str]] = {
    "release": ("integer", "Number of the release."),
    "as_of": ("timestamp", "Everything known by then is in it, nothing later."),
    "released_at": ("timestamp", "When the release was made."),
    "published_at": ("timestamp", "When it was last published here."),
    "engine": ("text", "Engine that built it: duckdb or postgres."),
    "git_revision": ("text", "Revision of the project that built it; null where unknown."),
}


@dataclass(frozen=True)
class Publication:
    """What a publication did."""

    release: Release
    schema: str
    published_at: datetime
    seconds: float
    tables: dict[str, Sent]
    #: Tables that this release has no more.
    dropped: list[str]

    @property
    def sent(self) -> int:
        return sum(one.sent for one in self.tables.values())

    @property
    def removed(self) -> int:
        return sum(one.removed for one in self.tables.values())

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.tables.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release.number,
            "as_of": plain(self.release.as_of),
            "released_at": plain(self.release.released_at),
            "published_at": plain(self.published_at),
            "schema": self.schema,
            "rows": self.rows,
            "sent": self.sent,
            "removed": self.removed,
            "seconds": round(self.seconds, 2),
            "tables": [{"table": name} | vars(one) for name, one in self.tables.items()],
            "dropped": self.dropped,
        }


def publish(
    reader: Reader,
    target: Target,
    *,
    canonical: bool | None = None,
    grants: Sequence[str] = (),
    force: bool = False,
    wait: float = 60,
    say: Callable[[str], None] | None = None,
) -> Publication:
    """Make the schema hold exactly the tables of the open release, in one transaction.

    Marts, and the twelve tables with ``canonical`` (None: if they are there already). ``grants``
    are roles that shall read. A release older than what is there is refused without ``force``,
    which also compares every row where the same release is there already. ``wait`` is how many
    seconds another publication is waited for, ``say`` is told what is looked at.
    AceError or UsageError: nothing has changed.
    """
    begun = time.monotonic()
    release = Release.of(reader.query("select * from meta.release").dicts()[0])
    with writing(target, wait) as connection:
        ours = published(connection, target)
        schemas = ["marts"]
        if canonical or (canonical is None and _has_canonical(ours)):
            schemas.append("canonical")
        offered = tables(reader, schemas)
        _refuse_others(connection, target, offered, ours)
        readers = access.readers(connection, target, grants)
        before = _prepare(connection, target)
        if before and not force:
            _refuse_older(release, before, target)
        same = before is not None and before == release and not force
        source, shapes, sent = Source(reader), [], {}
        for table in offered:
            if say is not None:
                say(f"comparing {table.schema}.{table.name}")
            shape = Shape(connection, target, table)
            shapes.append(shape)
            shape.make()
            if same and shape.fits:
                sent[table.name] = Sent(source.count(table))
            else:
                sent[table.name] = send(connection, source, table, shape.into, shape.beside)
            shape.describe(contracts()[table.name].about)
        # Last: from here on readers wait, where a table changes its shape.
        dropped = sorted(ours - {one.name for one in offered})
        for name in dropped:
            drop(connection, target, name, "is not published any more")
            connection.execute(own_sql(f'drop table "{target.private}"."{name}"'))
        for shape in shapes:
            shape.show()
        access.let_in(connection, target, [ROW, *(one.name for one in offered)], readers)
        at = _write_row(connection, target, release)
    return Publication(release, target.schema, at, time.monotonic() - begun, sent, dropped)


def _has_canonical(ours: set[str]) -> bool:
    from repositories.warehouse import MODELS

    return any(one.TABLE in ours for one in MODELS)


def _prepare(connection: Connection, target: Target) -> Release | None:
    """Make what every publication needs; returns the release that is there, if one is."""
    row = f'"{target.schema}".{ROW}'
    found = connection.execute(
        "select to_regnamespace(%s) is not null, to_regclass(%s) is not null",
        (f'"{target.private}"', row),
    ).fetchone()
    assert found is not None
    has_private, has_row = found
    if has_row and not has_private:
        raise _not_ours(target, ROW)
    for schema in (target.schema, target.private):
        make_schema(connection, schema)
    if not has_row:
        described = ", ".join(f"{name} {TYPES[kind]}" for name, (kind, _) in COLUMNS.items())
        connection.execute(
            own_sql(
                f"create table {row} (one boolean primary key default true check (one), "
                f"{described}); alter table {row} enable row level security; "
                f"comment on table {row} is '{_ABOUT}'; "
                + "; ".join(
                    f"comment on column {row}.{name} is '{about}'"
                    for name, (_, about) in COLUMNS.items()
                )
            )
        )
        access.strip(connection, row)
        return None
    there = connection.execute(own_sql(f"select {', '.join(COLUMNS)} from {row}")).fetchone()
    if there is None:
        return None
    values = dict(zip(COLUMNS, there, strict=True))
    return Release(
        values["release"], values["as_of"], values["released_at"], values["engine"],
        values["git_revision"],
    )  # fmt: skip


def _write_row(connection: Connection, target: Target, release: Release) -> datetime:
    names = list(COLUMNS)
    row = connection.execute(
        own_sql(
            f'insert into "{target.schema}".{ROW} ({", ".join(names)}) '
            "values (%s, %s, %s, clock_timestamp(), %s, %s) on conflict (one) do update set "
            + ", ".join(f"{name} = excluded.{name}" for name in names)
            + " returning published_at"
        ),
        (
            release.number,
            release.as_of,
            release.released_at,
            release.engine,
            release.git_revision,
        ),
    ).fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


def _refuse_older(release: Release, there: Release, target: Target) -> None:
    def told(one: Release) -> str:
        return f"release {one.number} (as of {plain(one.as_of)})"

    pairs = ((release.as_of, there.as_of), (release.released_at, there.released_at))
    if any(mine and theirs and mine < theirs for mine, theirs in pairs):
        raise AceError(
            f"Schema {target.schema} has {told(there)}, which is newer than {told(release)} here.",
            "Build a newer one, or publish the older one with --force.",
        )


def _refuse_others(
    connection: Connection, target: Target, offered: Sequence[Table], ours: set[str]
) -> None:
    """UsageError if a name is taken by something that no publication made."""
    rows = connection.execute(
        "select c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = %s and c.relname = any(%s) order by 1",
        (target.schema, [one.name for one in offered if one.name not in ours]),
    ).fetchall()
    if rows:
        raise _not_ours(target, rows[0][0])


def _not_ours(target: Target, name: str) -> UsageError:
    return UsageError(
        f"{target.schema}.{name} is there already, and no publication made it.",
        "Name a schema of its own with --schema.",
    )
