"""Releases on Postgres: published tables that remember from which release to which.

A build works in private schemas (``build_canonical``, ...). Publication compares each
of their relations with its published table in the schema ``release``, where every row
carries ``_from_release`` and ``_to_release``, and writes only the differences, in one
transaction. The public views show the rows of the current release, or of the release
a session pinned with ``set ace.release = '3'``. So a release is immutable, all its
tables appear at once, and it costs as much as it changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString

from loaders.errors import AceError
from warehouse.release.model import (
    PUBLIC_SCHEMAS,
    Passed,
    ReleaseSummary,
    TestOutcome,
    Unreleased,
    unknown_release,
)
from warehouse.release.session import connect

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

PREFIX = "build_"
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
            d.description, c.ordinal_position::bigint as place
        from information_schema.columns as c
        left join build_meta.descriptions as d
            on 'build_' || d."schema" = c.table_schema and d."table" = c.table_name
            and d."column" = c.column_name
        where c.table_schema in ({schemas})
    """,
    "tests": "select name, model, status, failures from build_meta.tests",
    "row_counts": 'select "schema", "table", rows from build_meta.row_counts',
}

SETUP = """
create schema if not exists release;
create table if not exists release.releases (
    release bigint primary key, released_at timestamptz not null, as_of timestamptz not null,
    git_revision text, dbt_version text not null, engine text not null,
    project_fingerprint text not null, invocation_id text not null,
    kept boolean not null default true
);
create table if not exists release.current (
    one boolean primary key default true check (one), release bigint not null
);
create or replace function release.shown() returns bigint language plpgsql stable
set search_path = pg_catalog as $$
declare
    pinned bigint := nullif(current_setting('ace.release', true), '')::bigint;
begin
    if pinned is null then
        return (select c.release from release.current as c);
    end if;
    if not exists (select 1 from release.releases as r where r.release = pinned and r.kept) then
        raise exception 'release % is not kept', pinned
            using hint = 'select release from release.releases where kept';
    end if;
    return pinned;
end
$$;
"""


class PostgresStore:
    """Releases inside one Postgres database."""

    engine = "postgres"

    def __init__(self, url: str, keep: int) -> None:
        self.url = url
        self.keep = keep

    def current(self) -> ReleaseSummary | None:
        return next((one for one in self.releases() if one.current), None)

    def releases(self) -> list[ReleaseSummary]:
        with connect(self.url) as connection:
            return self._releases(connection)

    def _releases(self, connection: Connection) -> list[ReleaseSummary]:
        if not _exists(connection, "release.current"):
            return []
        rows = connection.execute(
            _sql(
                f"select {SUMMARY}, release = (select c.release from release.current as c) "
                "from release.releases where kept order by release desc"
            )
        ).fetchall()
        return [ReleaseSummary(*row) for row in rows]

    def damaged(self) -> list[str]:
        return []

    def loads(self, release: int) -> set[str]:
        with connect(self.url) as connection:
            rows = connection.execute(
                _sql(
                    "select load_id from release.meta__loads where _from_release <= %s "
                    "and (_to_release is null or _to_release > %s)"
                ),
                (release, release),
            ).fetchall()
        return {row[0] for row in rows}

    def unreleased(self) -> Unreleased | None:
        with connect(self.url) as connection:
            if not _exists(connection, "build_meta.passed"):
                return None
            row = connection.execute(
                "select p.fingerprint, b.as_of from build_meta.passed as p "
                "join build_meta.builds as b using (build) "
                "where p.build = (select max(build) from build_meta.builds)"
            ).fetchone()
            if row is None:
                return None
            loads = connection.execute("select load_id from build_meta.loads").fetchall()
        return Unreleased(row[0], row[1], {one[0] for one in loads})

    def record_passed(self, passed: Passed) -> None:
        with connect(self.url) as connection, connection.transaction():
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
            _record_tests(connection, passed.tests)
            _record_descriptions(connection, passed.descriptions)

    def prepare(self) -> None:
        """Nothing yet."""

    def publish(self) -> ReleaseSummary:
        import psycopg

        try:
            with connect(self.url) as connection, connection.transaction():
                made = self._publish(connection)
            with connect(self.url) as connection, connection.transaction():
                _forget(connection, self.keep)
        except psycopg.Error as error:
            text = " ".join((error.diag.message_primary or str(error)).split())
            raise AceError(
                f"The release could not be published: {text}.",
                "The previous release stays current; mend the cause and run 'ace build' again.",
            ) from None
        return made

    def _publish(self, connection: Connection) -> ReleaseSummary:
        connection.execute(_sql(SETUP))
        last = next(iter(self._releases(connection)), None)
        built = connection.execute("select invocation_id from build_meta.passed").fetchone()
        if last and built and last.invocation_id == built[0]:
            _point_to(connection, last.release)  # rolled back since
            return replace(last, current=True)
        row = connection.execute(
            "select coalesce(max(release), 0) + 1 from release.releases"
        ).fetchone()
        assert row is not None
        number = int(row[0])
        connection.execute(
            _sql(
                f"insert into release.releases ({SUMMARY}) "
                "select %s, clock_timestamp(), b.as_of, p.git_revision, p.dbt_version, "
                "'postgres', p.fingerprint, p.invocation_id from build_meta.passed as p "
                "join build_meta.builds as b using (build)"
            ),
            (number,),
        )
        relations = _relations(connection)
        _count_rows(connection, relations)
        for schema, table in relations:
            _publish_relation(
                connection, number, schema, table, f'select * from "{PREFIX}{schema}"."{table}"'
            )
        schemas = ", ".join(f"'{PREFIX}{schema}'" for schema in PUBLIC_SCHEMAS)
        for table, query in META.items():
            _publish_relation(connection, number, "meta", table, query.format(schemas=schemas))
        _close_removed(connection, number, {*relations, *(("meta", table) for table in META)})
        _meta_release_view(connection)
        _point_to(connection, number)
        return self._releases(connection)[0]

    def rollback(self, release: int) -> ReleaseSummary:
        with connect(self.url) as connection, connection.transaction():
            kept = self._releases(connection)
            if release not in {one.release for one in kept}:
                raise unknown_release(release, kept)
            _point_to(connection, release)
            return next(one for one in self._releases(connection) if one.release == release)


def _sql(text: str) -> LiteralString:
    """A statement made of our own names only; psycopg wants to be told."""
    return text


def _exists(connection: Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (relation,)).fetchone()
    return bool(row and row[0])


def _record_tests(connection: Connection, tests: list[TestOutcome]) -> None:
    connection.execute("drop table if exists build_meta.tests")
    connection.execute(
        "create table build_meta.tests (name text, model text, status text, failures bigint)"
    )
    with connection.cursor().copy("copy build_meta.tests from stdin") as copy:
        for test in tests:
            copy.write_row((test.name, test.model, test.status, test.failures))


def _record_descriptions(
    connection: Connection, descriptions: dict[tuple[str, str, str], str]
) -> None:
    connection.execute("drop table if exists build_meta.descriptions")
    connection.execute(
        'create table build_meta.descriptions ("schema" text, "table" text, "column" text, '
        "description text)"
    )
    with connection.cursor().copy("copy build_meta.descriptions from stdin") as copy:
        for key, text in descriptions.items():
            copy.write_row((*key, text))


def _relations(connection: Connection) -> list[tuple[str, str]]:
    """(public schema, table) of everything the build offers."""
    rows = connection.execute(
        "select substr(n.nspname, %s), c.relname from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = any(%s) and c.relkind in ('r', 'v', 'm') "
        "and c.relname not like '%%\\_\\_dbt\\_%%' order by 1, 2",
        (len(PREFIX) + 1, [PREFIX + schema for schema in PUBLIC_SCHEMAS]),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def _count_rows(connection: Connection, relations: list[tuple[str, str]]) -> None:
    connection.execute("drop table if exists build_meta.row_counts")
    connection.execute(
        'create table build_meta.row_counts ("schema" text, "table" text, rows bigint)'
    )
    for schema, table in relations:
        connection.execute(
            _sql(
                "insert into build_meta.row_counts select %s, %s, count(*) "
                f'from "{PREFIX}{schema}"."{table}"'
            ),
            (schema, table),
        )


def _columns(connection: Connection, relation: str) -> list[tuple[str, str]]:
    """Name and type of the columns of a relation, in order."""
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped "
        "and attname not in ('_from_release', '_to_release', '_hash') order by attnum",
        (relation,),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def _publish_relation(
    connection: Connection, number: int, schema: str, table: str, query: str
) -> None:
    """Write the differences between what the build has and what is published."""
    # The rows of this build, read once, each with the hash of its whole text.
    connection.execute(
        _sql(
            "create temporary table offered on commit drop as "
            f"select r.*, md5((r.*)::text) as _hash from ({query}) as r"
        )
    )
    connection.execute("analyze offered (_hash)")
    _tell_twins_apart(connection)
    columns = _columns(connection, "pg_temp.offered")
    published = f'release."{schema}__{table}"'
    _prepare_published(connection, number, schema, table, columns)
    names = ", ".join(f'"{name}"' for name, _ in columns)
    connection.execute(
        _sql(
            f"update {published} as p set _to_release = {number} where p._to_release is null "
            "and not exists (select 1 from offered as o where o._hash = p._hash)"
        )
    )
    connection.execute(
        _sql(
            f"insert into {published} ({names}, _hash, _from_release) "
            f"select {names}, _hash, {number} from offered as o where not exists "
            f"(select 1 from {published} as p where p._to_release is null "
            "and p._hash = o._hash)"
        )
    )
    connection.execute("drop table offered")
    _public_view(connection, schema, table, columns)


def _tell_twins_apart(connection: Connection) -> None:
    """Number equal rows in their hash, so that none of them is lost. Rare: tables have keys."""
    row = connection.execute(
        "select exists (select 1 from offered group by _hash having count(*) > 1)"
    ).fetchone()
    if row and row[0]:
        connection.execute(
            "update offered as o set _hash = md5(o._hash || '#' || twin.place) from "
            "(select ctid as id, row_number() over (partition by _hash) as place from offered) "
            "as twin where twin.id = o.ctid and twin.place > 1"
        )


def _prepare_published(
    connection: Connection, number: int, schema: str, table: str, columns: list[tuple[str, str]]
) -> None:
    """Make the published table; give it new columns, or start over when columns changed.

    Releases from before a column was dropped or changed its type can no longer be shown
    as they were: they are no longer kept.
    """
    published = f'release."{schema}__{table}"'
    before = dict(_columns(connection, published))
    wanted = dict(columns)
    if before and any(wanted.get(name) != kind for name, kind in before.items()):
        connection.execute(_sql(f'drop view if exists "{schema}"."{table}"'))
        connection.execute(_sql(f"drop table {published}"))
        connection.execute("update release.releases set kept = false where release < %s", (number,))
        before = {}
    if not before:
        described = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        connection.execute(
            _sql(
                f"create table {published} ({described}, _hash text not null, "
                "_from_release bigint not null, _to_release bigint)"
            )
        )
        # Of the rows in force a hash is unique: the differences are found through it.
        connection.execute(
            _sql(f"create unique index on {published} (_hash) where _to_release is null")
        )
        connection.execute(
            _sql(f"create index on {published} (_to_release) where _to_release is not null")
        )
        return
    for name, kind in columns:
        if name not in before:
            connection.execute(_sql(f'alter table {published} add column "{name}" {kind}'))


def _public_view(
    connection: Connection, schema: str, table: str, columns: list[tuple[str, str]]
) -> None:
    """The view readers use; left alone when it is right, since replacing it locks readers."""
    if _columns(connection, f'"{schema}"."{table}"') == columns:
        return
    names = ", ".join(f'"{name}"' for name, _ in columns)
    connection.execute(_sql(f'create schema if not exists "{schema}"'))
    connection.execute(_sql(f'drop view if exists "{schema}"."{table}"'))
    connection.execute(
        _sql(
            f'create view "{schema}"."{table}" as select {names} '
            f'from release."{schema}__{table}" '
            "where _from_release <= (select release.shown()) "
            "and (_to_release is null or _to_release > (select release.shown()))"
        )
    )


def _close_removed(connection: Connection, number: int, offered: set[tuple[str, str]]) -> None:
    """Relations that this project no longer has end here; older releases still show them."""
    rows = connection.execute(
        "select relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = 'release' and c.relkind = 'r' and relname like '%\\_\\_%'"
    ).fetchall()
    known = {f"{schema}__{table}" for schema, table in offered}
    for (name,) in rows:
        if name not in known:
            connection.execute(
                _sql(
                    f'update release."{name}" set _to_release = {number} where _to_release is null'
                )
            )


def _meta_release_view(connection: Connection) -> None:
    if _exists(connection, "meta.release"):
        return
    connection.execute("create schema if not exists meta")
    connection.execute(
        _sql(
            f"create view meta.release as select {SUMMARY} from release.releases "
            "where release = (select release.shown())"
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
        "and release <> (select release from release.current)",
        (keep,),
    )
    row = connection.execute("select min(release) from release.releases where kept").fetchone()
    if row is None or row[0] is None:
        return
    tables = connection.execute(
        "select relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = 'release' and c.relkind = 'r' and relname like '%\\_\\_%'"
    ).fetchall()
    for (name,) in tables:
        connection.execute(_sql(f'delete from release."{name}" where _to_release <= {row[0]}'))
