"""The one transaction that a publication is, on a server that is somebody else's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from common.pgconnect import connect, own_sql, parse_dsn, place, redact
from common.pgsession import WRITER, application_name, prepare

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

#: Names that need no quoting anywhere, with room for what is put behind them.
_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,50}")
_SYSTEM = ("information_schema", "auth", "storage", "realtime", "vault", "extensions")
#: The first half of the advisory lock of publications ("ACEP"); the second is the schema's hash.
LOCK = 0x41434550
#: How long the change of a table's shape waits for its readers, who wait behind it meanwhile.
LOCK_SECONDS = 10


@dataclass(frozen=True)
class Target:
    """Where to publish: an address, what the user calls it, and a schema."""

    url: str
    #: ``--to`` or ``ACE_PUBLISH_URL``.
    called: str
    schema: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.schema) or self.schema in _SYSTEM:
            raise UsageError(
                f"Nothing can be published into a schema called '{self.schema}'.",
                "Name it with up to 51 small letters, digits and _, as in --schema marts.",
            )

    @property
    def private(self) -> str:
        """The schema that remembers what was sent; nobody else needs to read it."""
        return f"{self.schema}_publication"

    @property
    def place(self) -> str:
        """Server and port, for people."""
        return place(parse_dsn(self.url, self.called))


@contextlib.contextmanager
def writing(target: Target, wait: float) -> Iterator[Connection]:
    """The transaction of a publication, the only one in its schema; nothing of it stays when
    anything fails. AceError says what the server refused, and never the address' password."""
    import psycopg

    # Nothing prepared and every setting within the transaction: a pooler may be in between.
    with connect(
        target.url,
        target.called,
        application=application_name("ace publish"),
        prepare_threshold=None,
    ) as connection:
        try:
            with connection.transaction():
                prepare(connection, WRITER, transaction=True)
                _lock(connection, target, wait)
                yield connection
        except psycopg.errors.LockNotAvailable:
            who = _in_the_way(target)
            raise AceError(
                f"Tables in schema {target.schema} have to change their shape, and {who} "
                f"reading them for more than {LOCK_SECONDS} seconds.",
                "What was published before stays; end that transaction (pg_terminate_backend) "
                "and run it again.",
            ) from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise AceError(
                f"The user of {target.called} may not publish: {_said(error, target)}.",
                f"Let it own the schemas {target.schema} and {target.private}, or grant it CREATE "
                "on the database to make them.",
            ) from None
        except psycopg.Error as error:
            raise AceError(
                f"The release could not be published: {_said(error, target)}.",
                "What was published before stays; mend the cause and run it again.",
            ) from None


def _said(error: psycopg.Error, target: Target) -> str:
    text = error.diag.message_primary or str(error)
    return redact(text, parse_dsn(target.url, target.called))


def _lock(connection: Connection, target: Target, wait: float) -> None:
    import psycopg

    try:
        with connection.transaction():
            # 0 would be for ever.
            _set_lock_timeout(connection, max(wait, 0.001))
            connection.execute(
                "select pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, target.schema)
            )
    except psycopg.errors.LockNotAvailable:
        row = connection.execute(
            "select a.application_name, a.pid from pg_locks as l join pg_stat_activity as a "
            "using (pid) where l.locktype = 'advisory' and l.granted and l.classid = %s "
            "and l.objid = hashtext(%s)::oid and l.database = "
            "(select oid from pg_database where datname = current_database())",
            (LOCK, target.schema),
        ).fetchone()
        who = f"{row[0]}; process {row[1]} there" if row else "in another process"
        raise AceError(
            f"Another publication into schema {target.schema} is running ({who}).",
            "Wait for it to end and try again, or wait longer with --wait SECONDS.",
        ) from None
    _set_lock_timeout(connection, LOCK_SECONDS)


def _set_lock_timeout(connection: Connection, seconds: float) -> None:
    connection.execute(own_sql(f"set local lock_timeout = '{int(seconds * 1000)}ms'"))


def _in_the_way(target: Target) -> str:
    """Who holds tables of the schema, as far as the server tells."""
    with connect(target.url, target.called, prepare_threshold=None) as connection:
        rows = connection.execute(
            "select distinct l.pid, a.usename from pg_locks as l "
            "join pg_class as c on c.oid = l.relation join pg_namespace as n "
            "on n.oid = c.relnamespace left join pg_stat_activity as a on a.pid = l.pid "
            "where l.granted and n.nspname = %s and l.pid <> pg_backend_pid() "
            "and l.database = (select oid from pg_database where datname = current_database())",
            (target.schema,),
        ).fetchall()
    if not rows:
        return "a session has been"
    who = ", ".join(f"process {pid} of user {user}" for pid, user in rows)
    return f"{who} {'have' if len(rows) > 1 else 'has'} been"
