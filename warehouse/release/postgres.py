"""Releases on Postgres: published tables that remember from which release to which.

A build works in private schemas (``build_canonical``, ...). Publication compares each
of their relations with its published table in the schema ``release``, where every row
carries ``_from_release`` and ``_to_release``, and writes only the differences, in one
transaction. The public views show the rows of the current release, or of the release
a session pinned with ``set ace.release = '3'``. So a release is immutable, all its
tables appear at once, and it costs as much as it changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from common.errors import AceError
from common.pgconnect import own_sql
from warehouse.release.model import (
    LEDGER,
    PUBLIC_SCHEMAS,
    Passed,
    ReleaseSummary,
    TestOutcome,
    Unreleased,
    unknown_release,
)
from warehouse.release.pg_build import (
    PREFIX,
    count_rows,
    ensure_documents,
    no_other_build,
    record_descriptions,
    record_documents,
    record_tests,
    relations,
)
from warehouse.release.pg_public import (
    SCHEMAS,
    check_readers,
    check_removal,
    columns,
    make_schema,
    share,
    show,
)
from warehouse.release.pg_runs import ensure_runs, read_runs, write_runs
from warehouse.release.pg_stamps import changed_part, published, record, stamps
from warehouse.release.pg_tables import close_removed, exists, publish_relation, published_tables
from warehouse.release.runs import NAMES, Run, of_release
from warehouse.release.session import connect

if TYPE_CHECKING:
    import psycopg

    from warehouse.release.pg_public import Columns, Grant

    Connection = psycopg.Connection[tuple[Any, ...]]
    #: Schema, table and columns of a public view; what was granted on it, if it had to go.
    Shown = tuple[str, str, Columns, set[Grant] | None]

#: The two halves of the advisory lock under which releases change ("ACE ", releases).
RELEASES_KEY = (0x41434520, 2)
#: How long a change of the releases waits for readers whose views it has to replace.
LOCK_SECONDS = 60
SUMMARY = (
    "release, released_at, as_of, git_revision, dbt_version, engine, "
    "project_fingerprint, invocation_id"
)
#: meta.<table> of a release: how to make its rows from the build's bookkeeping.
META = {
    "loads": "select load_id, source, resource, account, landed_at, read, accepted, rejected "
    "from build_meta.loads where resource <> '_heartbeat'",
    "columns": """
        select replace(c.table_schema, 'build_', '')::text as "schema",
            c.table_name::text as "table", c.column_name::text as "column",
            case when c.data_type = 'ARRAY' then ltrim(c.udt_name, '_') || '[]'
                else c.data_type end as type,
            d.description, c.ordinal_position::bigint as place,
            replace(c.table_schema, 'build_', '')::text as table_schema,
            c.table_name::text as table_name, c.column_name::text as column_name
        from information_schema.columns as c
        left join build_meta.descriptions as d
            on 'build_' || d."schema" = c.table_schema and d."table" = c.table_name
            and d."column" = c.column_name
        where c.table_schema in ({schemas})
            or (c.table_schema = 'build_meta' and c.table_name = 'runs')
    """,
    "tables": "select * from build_meta.documents",
    "runs": f"select {', '.join(NAMES)} from build_meta.runs where outcome is not null",
    "tests": "select name, model, status, failures from build_meta.tests",
    "row_counts": 'select "schema", "table", rows from build_meta.row_counts',
}

#: Those that releases of earlier versions lack.
ADDED_META = frozenset({"tables", "runs"})

SETUP = """
create table if not exists release.releases (
    release bigint primary key, released_at timestamptz not null, as_of timestamptz not null,
    git_revision text, dbt_version text not null, engine text not null,
    project_fingerprint text not null, invocation_id text not null,
    kept boolean not null default true
);
create table if not exists release.current (
    one boolean primary key default true check (one), release bigint not null
);
-- What the rows in force were made from.
create table if not exists release.made_from (
    relation text primary key, contents text not null, definitions text not null,
    rows bigint not null, since bigint not null
);
-- With the rights of its owner: readers need none in this schema.
create or replace function release.shown() returns bigint language plpgsql stable
security definer set search_path = pg_catalog, pg_temp as $$
declare
    pinned bigint := nullif(current_setting('ace.release', true), '')::bigint;
begin
    if pinned is null then
        return (select c.release from release.current as c);
    end if;
    if not exists (select 1 from release.releases as r where r.release = pinned and r.kept) then
        raise exception 'release % is not kept', pinned
            using hint = 'select release from meta.releases';
    end if;
    return pinned;
end
$$;
"""


class PostgresStore:
    """Releases inside one Postgres database."""

    engine = "postgres"

    def __init__(self, url: str, keep: int, readers: Sequence[str] = ()) -> None:
        self.url = url
        self.keep = keep
        self.readers = list(readers)

    @contextlib.contextmanager
    def _session(self) -> Iterator[Connection]:
        """A session on the database; AceError says what the server refused."""
        import psycopg

        try:
            with connect(self.url) as connection:
                yield connection
        except psycopg.Error as error:
            raise AceError(
                f"Postgres could not be asked about its releases: {_said(error)}.",
                "The user of ACE_POSTGRES_URL must be the one that builds; readers use "
                "'ace status' and 'ace sql'."
                if isinstance(error, psycopg.errors.InsufficientPrivilege)
                else "Mend the cause and run it again.",
            ) from None

    def current(self) -> ReleaseSummary | None:
        with self._session() as connection:
            found = next((one for one in self._releases(connection) if one.current), None)
            return None if found and _missing(connection, found.release) else found

    def releases(self) -> list[ReleaseSummary]:
        with self._session() as connection:
            return [
                one for one in self._releases(connection) if not _missing(connection, one.release)
            ]

    def _releases(self, connection: Connection) -> list[ReleaseSummary]:
        """Kept releases, newest first; also with the pointer to the current one missing."""
        if not exists(connection, "release.releases"):
            return []
        current = "false"
        if exists(connection, "release.current"):
            current = "release in (select c.release from release.current as c)"
        rows = connection.execute(
            own_sql(
                f"select {SUMMARY}, {current} from release.releases "
                "where kept order by release desc"
            )
        ).fetchall()
        return [ReleaseSummary(*row) for row in rows]

    def damaged(self) -> list[str]:
        with self._session() as connection:
            kept = self._releases(connection)
            found = []
            for one in kept:
                missing = _missing(connection, one.release)
                if missing:
                    current = ", and it is the current one" if one.current else ""
                    names = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
                    found.append(f"Release {one.release} cannot be read{current}: no {names}.")
            if kept and not any(one.current for one in kept):
                found.append("release.current does not name a release that is kept.")
        return [*found, "'ace build' makes a new one."] if found else []

    def loads(self, release: int) -> set[str]:
        with self._session() as connection:
            rows = connection.execute(
                own_sql(
                    "select load_id from release.meta__loads where _from_release <= %s "
                    "and (_to_release is null or _to_release > %s)"
                ),
                (release, release),
            ).fetchall()
        return {row[0] for row in rows}

    def unreleased(self) -> Unreleased | None:
        with self._session() as connection:
            if not exists(connection, "build_meta.passed"):
                return None
            row = connection.execute(
                "select p.fingerprint, b.as_of from build_meta.passed as p "
                "join build_meta.builds as b using (build) "
                "where p.build = (select max(build) from build_meta.builds)"
            ).fetchone()
            if row is None:
                return None
            loads = connection.execute("select load_id from build_meta.loads").fetchall()
            tests = connection.execute("select name, model, status, failures from build_meta.tests")
            outcomes = [TestOutcome(*one) for one in tests]
            (sums,) = connection.execute(own_sql(LEDGER.format(schema="build_marts"))).fetchall()
        return Unreleased(row[0], row[1], {one[0] for one in loads}, outcomes, *sums)

    def record_passed(self, passed: Passed) -> None:
        with self._session() as connection, connection.transaction():
            no_other_build(connection, passed.invocation_id)
            connection.execute("drop table if exists build_meta.passed")
            connection.execute(
                "create table build_meta.passed (build bigint, fingerprint text, "
                "git_revision text, dbt_version text, invocation_id text)"
            )
            connection.execute(
                "insert into build_meta.passed select max(build), %s, %s, %s, %s "
                "from build_meta.builds",
                (
                    passed.fingerprint,
                    passed.git_revision,
                    passed.dbt_version,
                    passed.invocation_id,
                ),
            )
            # Models that were not run, as nothing of theirs moved, are as they were, too.
            connection.execute(
                "update build_meta.consumed set build = (select max(build) from build_meta.builds)"
            )
            record_tests(connection, passed.tests)
            record_descriptions(connection, passed.descriptions)
            record_documents(connection, passed.tables)

    def forget_passed(self) -> None:
        with self._session() as connection:
            if exists(connection, "build_meta.passed"):
                connection.execute("delete from build_meta.passed")

    def prepare(self) -> None:
        with self._session() as connection:
            check_readers(connection, self.readers)
            refused = connection.execute(
                "select s.name from unnest(%s::text[]) as s (name) "
                "left join pg_namespace as n on n.nspname = s.name where not case "
                "when n.oid is null then has_database_privilege(current_database(), 'create') "
                "else has_schema_privilege(n.oid, 'create') end",
                (["release", "meta", *PUBLIC_SCHEMAS],),
            ).fetchone()
        if refused:
            raise AceError(
                f"The user of ACE_POSTGRES_URL may not write schema {refused[0]}, "
                "where releases are shown.",
                f"Grant it CREATE on the database, or on schema {refused[0]} where it exists.",
            )

    def share(self) -> None:
        if self.readers:
            with self._writing() as connection:
                share(connection, self.readers)

    def publish(self) -> ReleaseSummary:
        with self._writing() as connection:
            made = self._publish(connection)
        with self._writing() as connection:
            _forget(connection, self.keep)
        return made

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction on the releases, one at a time; AceError says what the server refused."""
        import psycopg

        try:
            with connect(self.url) as connection, connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s, %s)", RELEASES_KEY)
                connection.execute(own_sql(f"set local lock_timeout = '{LOCK_SECONDS}s'"))
                yield connection
        except psycopg.errors.LockNotAvailable:
            raise AceError(
                f"The releases in Postgres could not be changed: {self._readers_in_the_way()}.",
                "The previous release stays current; end that transaction "
                "(pg_terminate_backend) and run it again.",
            ) from None
        except psycopg.Error as error:
            raise AceError(
                f"The release could not be published: {_said(error)}.",
                "The previous release stays current; mend the cause and run 'ace build' again.",
            ) from None

    def _readers_in_the_way(self) -> str:
        """Who has held public views since before this waited, as far as the server tells."""
        with connect(self.url) as connection:
            rows = connection.execute(
                "select distinct l.pid, a.usename from pg_locks as l "
                "join pg_class as c on c.oid = l.relation join pg_namespace as n "
                "on n.oid = c.relnamespace left join pg_stat_activity as a on a.pid = l.pid "
                "where l.granted and n.nspname = any(%s) and l.pid <> pg_backend_pid() "
                "and l.database = (select oid from pg_database where datname = current_database())",
                (["release", *SCHEMAS],),
            ).fetchall()
        who = ", ".join(f"process {pid} of user {user}" for pid, user in rows) or "a session"
        return f"{who} has had a transaction open on them for more than {LOCK_SECONDS} seconds"

    def _publish(self, connection: Connection) -> ReleaseSummary:
        kept = self._releases(connection)
        number = _next_number(connection, kept)
        make_schema(connection, "release")
        connection.execute(own_sql(SETUP))
        built = connection.execute("select invocation_id from build_meta.passed").fetchone()
        if built is None:
            raise AceError("There is no build to release.", "Run 'ace build'.")
        no_other_build(connection, built[0])
        last = next(iter(kept), None)
        if last and last.invocation_id == built[0] and not _missing(connection, last.release):
            _meta_release_view(connection)
            _point_to(connection, last.release)  # rolled back since
            share(connection, self.readers)
            return replace(last, current=True)
        connection.execute(
            own_sql(
                f"insert into release.releases ({SUMMARY}) "
                "select %s, clock_timestamp(), b.as_of, p.git_revision, p.dbt_version, "
                "'postgres', p.fingerprint, p.invocation_id from build_meta.passed as p "
                "join build_meta.builds as b using (build)"
            ),
            (number,),
        )
        ensure_runs(connection)
        write_runs(connection, of_release(read_runs(connection), number))
        views = _publish_relations(connection, number)
        # Last: from here on readers wait, if their views change at all.
        for schema, table, shown, grants in views:
            show(connection, schema, table, shown, grants)
        _meta_release_view(connection)
        _point_to(connection, number)
        share(connection, self.readers)
        return next(one for one in self._releases(connection) if one.release == number)

    def runs(self) -> list[Run]:
        with self._session() as connection:
            return read_runs(connection) if exists(connection, "build_meta.runs") else []

    def keep_runs(self, runs: list[Run]) -> None:
        with self._session() as connection, connection.transaction():
            ensure_runs(connection)
            write_runs(connection, runs)

    def rollback(self, release: int) -> ReleaseSummary:
        with self._writing() as connection:
            kept = self._releases(connection)
            if release not in {one.release for one in kept}:
                raise unknown_release(release, kept)
            missing = _missing(connection, release)
            if missing:
                raise AceError(
                    f"Release {release} cannot be read: Postgres has no {missing[0]}.",
                    "'ace releases' lists what can be read instead; 'ace build' makes a new one.",
                )
            _point_to(connection, release)
            return next(one for one in self._releases(connection) if one.release == release)

    def only_current(self) -> list[int]:
        with self._writing() as connection:
            kept = self._releases(connection)
            gone = [one.release for one in kept if not one.current]
            _forget(connection, 0)
            tables = published_tables(connection)
        with connect(self.url, autocommit=True) as session:
            # Deleted rows stay in the files of the server until they are vacuumed.
            for name in tables:
                session.execute(own_sql(f'vacuum release."{name}"'))
        return gone


def _publish_relations(connection: Connection, number: int) -> list[Shown]:
    """Write what the build changed of each relation, reading no more than may have changed.

    Returns what the views of readers are to show.
    """
    offers = {
        (schema, table): f'"{PREFIX}{schema}"."{table}"' for schema, table in relations(connection)
    }
    wanted = {one: columns(connection, relation) for one, relation in offers.items()}
    for (schema, table), shown in wanted.items():
        check_removal(connection, schema, table, shown)
    before = published(connection)
    found = stamps(connection, list(offers.values()), before)
    # Published with the very columns that the build has.
    fitting = {
        (schema, table)
        for (schema, table), shown in wanted.items()
        if set(columns(connection, f'release."{schema}__{table}"')) == set(shown)
    }
    same = {
        one: before[relation].rows
        for one, relation in offers.items()
        if one in fitting
        and relation in before
        and relation in found
        and before[relation].contents == found[relation].contents
    }
    counts = count_rows(connection, list(offers), same)
    record(connection, found, {offers[one]: rows for one, rows in counts.items()})
    connection.execute(
        "insert into build_meta.row_counts select 'meta', 'runs', count(*) from build_meta.runs "
        "where outcome is not null"
    )
    views: list[Shown] = []
    for (schema, table), relation in offers.items():
        if (schema, table) in same:
            views.append((schema, table, wanted[schema, table], None))
            continue
        part = None
        if (schema, table) in fitting:
            names = [name for name, _ in wanted[schema, table]]
            part = changed_part(schema, names, found.get(relation), before.get(relation))
        query = f"select * from {relation}"
        made = publish_relation(connection, number, schema, table, query, part)
        views.append((schema, table, *made))
    ensure_documents(connection)
    schemas = ", ".join(f"'{PREFIX}{schema}'" for schema in PUBLIC_SCHEMAS)
    for table, query in META.items():
        made = publish_relation(connection, number, "meta", table, query.format(schemas=schemas))
        views.append(("meta", table, *made))
    close_removed(connection, number, {(schema, table) for schema, table, *_ in views})
    return views


def _said(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())


def _missing(connection: Connection, release: int) -> list[str]:
    """Tables and views a release should show that are not there (``schema.table``)."""
    needed = [("meta", table) for table in META if table not in ADDED_META]
    if exists(connection, "release.meta__row_counts"):
        needed += connection.execute(
            'select "schema", "table" from release.meta__row_counts '
            "where _from_release <= %s and (_to_release is null or _to_release > %s)",
            (release, release),
        ).fetchall()
    rows = connection.execute(
        "select t.schema || '.' || t.name from unnest(%s::text[], %s::text[]) "
        "with ordinality as t (schema, name, place) "
        "where to_regclass(format('%%I.%%I', t.schema, t.name)) is null "
        "or to_regclass(format('release.%%I', t.schema || '__' || t.name)) is null "
        "order by t.place",
        ([schema for schema, _ in needed], [table for _, table in needed]),
    ).fetchall()
    own = [f"meta.{name}" for name in ("release",) if not exists(connection, f"meta.{name}")]
    return own + [row[0] for row in rows]


def _next_number(connection: Connection, kept: list[ReleaseSummary]) -> int:
    """A number that no release and no published row ever had."""
    number = 0
    if exists(connection, "release.releases"):
        row = connection.execute("select max(release) from release.releases").fetchone()
        number = (row[0] if row else None) or 0
    if not any(one.current for one in kept):
        # The list of releases may be damaged; rows that were published know better.
        for name in published_tables(connection):
            row = connection.execute(
                own_sql(f'select max(greatest(_from_release, _to_release)) from release."{name}"')
            ).fetchone()
            number = max(number, (row[0] if row else None) or 0)
    return number + 1


def _meta_release_view(connection: Connection) -> None:
    make_schema(connection, "meta")
    if not exists(connection, "meta.release"):
        connection.execute(
            own_sql(
                f"create view meta.release as select {SUMMARY} from release.releases "
                "where release = (select release.shown())"
            )
        )
    if not exists(connection, "meta.releases"):
        connection.execute(
            own_sql(
                f"create view meta.releases as select {SUMMARY}, exists (select 1 "
                "from release.current as c where c.release = r.release) as current "
                "from release.releases as r where kept"
            )
        )


def _point_to(connection: Connection, release: int) -> None:
    connection.execute(
        "insert into release.current (release) values (%s) "
        "on conflict (one) do update set release = excluded.release",
        (release,),
    )


def _forget(connection: Connection, keep: int) -> None:
    """Drop releases beyond the last ``keep``, but never the current one."""
    connection.execute(
        "update release.releases set kept = false where release not in "
        "(select release from release.releases where kept order by release desc limit %s) "
        "and release not in (select release from release.current)",
        (keep,),
    )
    row = connection.execute("select min(release) from release.releases where kept").fetchone()
    if row is None or row[0] is None:
        return
    for name in published_tables(connection):
        connection.execute(own_sql(f'delete from release."{name}" where _to_release <= {row[0]}'))
