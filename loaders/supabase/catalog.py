"""What the database has: tables, their columns and keys, and who it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loaders.schema import RESOURCES

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class DbColumn:
    """A column: its name, the name of its (base) type and that type's category."""

    name: str
    type: str
    category: str


@dataclass(frozen=True)
class DbTable:
    """A table or view that holds a resource."""

    resource: str
    schema: str
    #: Identifies the storage: the table's oid and a digest of its partitions' oids.
    storage: str
    #: Rows carry a trustworthy version (``xmin``): not so in views and foreign tables.
    versioned: bool
    #: Row-level security applies to this role: rows may appear without a new version.
    hidden_rows: bool
    columns: tuple[DbColumn, ...]
    #: Columns of a unique, never null key; empty when there is none.
    key: tuple[str, ...]

    @property
    def unzoned(self) -> tuple[str, ...]:
        """Columns of times that say nothing of a time zone."""
        times = {column.name for column in RESOURCES[self.resource] if column.kind == "timestamp"}
        return tuple(
            c.name for c in self.columns if c.name in times and c.type in ("timestamp", "date")
        )

    @property
    def deletion_marks(self) -> tuple[str, ...]:
        """Columns by which the database's programs mark a row as deleted."""
        return tuple(c.name for c in self.columns if c.name.lower() in _DELETION_MARKS)

    @property
    def fingerprint(self) -> str:
        """Changes with the columns: a column added with a default rewrites no row."""
        text = ",".join(f"{c.name} {c.type}" for c in self.columns)
        return _short(text)


_DELETION_MARKS = frozenset(
    {"deleted", "deleted_at", "deletedat", "deleted_on", "is_deleted", "isdeleted", "date_deleted",
     "removed_at", "is_removed", "discarded_at", "trashed_at"}
)  # fmt: skip


def _short(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()[:12]


_TABLES = """
select c.relname, c.oid::bigint, c.relkind::text, row_security_active(c.oid),
    array(
        with recursive below as (
            select inhrelid from pg_inherits where inhparent = c.oid
            union
            select i.inhrelid from pg_inherits i join below on i.inhparent = below.inhrelid
        )
        select inhrelid::bigint from below order by 1
    )
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
"""
_COLUMNS = """
select a.attrelid::bigint, a.attname, base.typname, base.typcategory::text
from pg_attribute a
join pg_type t on t.oid = a.atttypid
join pg_type base on base.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
where a.attrelid::bigint = any(%s) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
"""
# The primary key, else the unique key with the fewest columns none of which may be null.
_KEYS = """
select distinct on (i.indrelid) i.indrelid::bigint,
    array(
        select a.attname::text from unnest(i.indkey::int[]) with ordinality k(number, place)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
        where k.place <= i.indnkeyatts order by k.place
    )
from pg_index i
where i.indrelid::bigint = any(%s) and i.indisunique and i.indisvalid and i.indimmediate
    and i.indpred is null and i.indexprs is null
    and not exists (
        select 1 from pg_attribute a
        where a.attrelid = i.indrelid and a.attnum = any(i.indkey::int[]) and not a.attnotnull
    )
order by i.indrelid, i.indisprimary desc, i.indnkeyatts, i.indexrelid
"""


def read_catalog(connection: psycopg.Connection[Any], schema: str) -> dict[str, DbTable]:
    """Resource to its table or view, for those of the twelve that are in the schema."""
    found = connection.execute(_TABLES, [schema, list(RESOURCES)]).fetchall()
    oids = [row[1] for row in found]
    columns: dict[int, list[DbColumn]] = {}
    for oid, name, kind, category in connection.execute(_COLUMNS, [oids]):
        columns.setdefault(oid, []).append(DbColumn(name, kind, category))
    keys = dict(connection.execute(_KEYS, [oids]).fetchall())
    tables = {}
    for name, oid, kind, hidden, children in found:
        # A parent's unique index says nothing about the rows of inheriting tables.
        key = () if kind == "r" and children else tuple(keys.get(oid) or ())
        tables[name] = DbTable(
            resource=name,
            schema=schema,
            storage=f"{oid}/{_short(str(children))}" if children else str(oid),
            versioned=kind in "rp",
            hidden_rows=hidden,
            columns=tuple(columns.get(oid, ())),
            key=key,
        )
    return tables


def server_identity(connection: psycopg.Connection[Any]) -> str:
    """Who the server is: its transaction counter means nothing on any other.

    The cluster's own number, the timeline (a restore or failover starts a new one)
    and the database. A role that may not ask for the number is left with the other
    two; a restore that turns the counter back is noticed even then.
    """
    cluster = _value(connection, "select system_identifier::text from pg_control_system()")
    timeline = _value(
        connection,
        "select case when pg_is_in_recovery() then null "
        "else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end",
    ) or _value(
        connection,
        "select lpad(upper(to_hex(timeline_id)), 8, '0') from pg_control_checkpoint()",
    )
    database = _value(
        connection,
        "select oid::text || ':' || datname from pg_database where datname = current_database()",
    )
    return "/".join(part or "?" for part in (cluster, timeline, database))


def database_zone(connection: psycopg.Connection[Any]) -> str | None:
    """The time zone that sessions of this database have unless they or their role choose
    another."""
    return _value(
        connection,
        "select split_part(entry, '=', 2) from pg_db_role_setting, unnest(setconfig) as entry "
        "where setrole = 0 and lower(entry) like 'timezone=%' and setdatabase = "
        "(select oid from pg_database where datname = current_database())",
    ) or _value(connection, "select reset_val from pg_settings where name = 'TimeZone'")


def _value(connection: psycopg.Connection[Any], query: str) -> str | None:
    """One value, or None where the server does not let this role have it."""
    import psycopg

    try:
        row = connection.execute(query.encode()).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction):
        return None
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return None
    return None if row is None else row[0]
