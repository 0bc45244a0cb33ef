"""``ace init-postgres``: each role by what it can do, and by what it must not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from common.errors import AceError, UsageError
from repositories.connection import open_release
from tests.conftest import PASSWORD, PASSWORD_ROLE, PgServer
from tests.support.small_postgres import build
from warehouse.cli import main
from warehouse.release.pg_public import SCHEMAS
from warehouse.release.pg_roles import PRIVATE, ROLES, Made, make_roles
from warehouse.release.postgres import PostgresStore
from warehouse.settings import settings

pytestmark = pytest.mark.postgres

OPERATIONAL = (
    "create table public.products (product_id uuid, name text)",
    "insert into public.products values (gen_random_uuid(), 'Lamp')",
    "create table public.scripts (script_id uuid)",
    "alter table public.scripts enable row level security",
    "create table public.secrets (word text)",
)


@pytest.fixture(autouse=True)
def no_roles(pg_server: PgServer) -> Iterator[None]:
    yield
    _drop(pg_server, "ace_")


def _drop(server: PgServer, prefix: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        databases = connection.execute(
            "select datname from pg_database where datallowconn and not datistemplate"
        ).fetchall()
        for role in ROLES:
            if connection.execute(
                "select 1 from pg_roles where rolname = %s", (prefix + role,)
            ).fetchone():
                for (name,) in databases:
                    with psycopg.connect(server.url(name), autocommit=True) as other:
                        other.execute(f"drop owned by {prefix}{role} cascade")
                connection.execute(f"drop role {prefix}{role}")


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _made(url: str, **options: Any) -> Made:
    with psycopg.connect(url) as connection:
        return make_roles(connection, **options)


def _as(url: str, role: str, statement: str) -> list[tuple[Any, ...]]:
    """What a role gets that has just logged in."""
    with psycopg.connect(url) as connection:
        connection.execute(f"set role {role}")
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _store(url: str) -> PostgresStore:
    return PostgresStore(f"{url}&options=-c%20role%3Dace_builder", 3)


def test_readers_read_every_release_and_builders_make_them(postgres_url: str) -> None:
    _run(postgres_url, *OPERATIONAL)
    _made(postgres_url)
    # A build by hand of the schemas that are there, as the builder.
    builder = f"{postgres_url}&options=-c%20role%3Dace_builder"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _run(builder, "create schema another")
    first = _built(postgres_url, 1)
    first.publish()
    second = _built(postgres_url, 2, "create table build_marts.fresh as select 7 as a")
    second.publish()
    owners = _as(
        postgres_url,
        "postgres",
        "select distinct pg_get_userbyid(c.relowner) from pg_class as c join pg_namespace as n "
        f"on n.oid = c.relnamespace where n.nspname in {(*SCHEMAS, *PRIVATE)}",
    )
    assert owners == [("ace_builder",)]
    for role in ("ace_analyst", "ace_agent"):
        assert _as(postgres_url, role, "select a from marts.fresh") == [(7,)]
        assert _as(postgres_url, role, "select count(*) from canonical.products") == [(100,)]
        where = f"{postgres_url}&options=-c%20role%3D{role}"
        with open_release(Path(), 1, target="postgres", postgres_url=where) as reader:
            assert reader.query("select release from meta.release").rows == [(1,)]


def _built(url: str, number: int, change: str = "") -> PostgresStore:
    """A build that passed, as if the builder had made it."""
    setup = "; ".join(
        f"drop schema if exists build_{one}"
        for one in ("canonical", "marts", "meta", "intermediate")
    )
    if number == 1:
        _run(url, setup)
    build(url, number, change)
    _made(url, take_over=True)
    return _store(url)


#: What each role must not do, whatever was built.
NEVER = (
    "create table public.mine (a int)",
    "create schema mine",
    "create role other",
    "select pg_read_file('/etc/passwd')",
    "copy (select 1) to '/tmp/x'",
    "copy (select 1) to program 'true'",
    "select * from public.secrets",
    "insert into public.products values (gen_random_uuid(), 'x')",
    "drop table public.products",
    "select rolpassword from pg_authid",
    "alter role ace_agent superuser",
    "set role postgres",
    "set session_replication_role = replica",
)
READING = (
    "insert into marts.twins values (1)",
    "delete from canonical.products",
    "drop view canonical.products",
    "create view marts.mine as select 1 as a",
    "create table meta.mine (a int)",
    "select * from release.marts__twins",
    "update release.current set release = 1",
    "select * from build_marts.twins",
    "select * from build_meta.loads",
    "select * from public.products",
    "set role ace_builder",
)
FORBIDDEN = {
    "ace_loader": (
        *NEVER,
        "select * from marts.twins",
        "select * from canonical.products",
        "select * from meta.release",
        "select * from release.releases",
        "drop view canonical.products",
        "drop schema canonical cascade",
        "create table raw.mine (a int)",
        "select * from build_meta.loads",
        "update public.products set name = 'x'",
        "set role ace_builder",
    ),
    "ace_builder": (*NEVER, "select * from public.products", "set role ace_loader"),
    "ace_analyst": (*NEVER, *READING),
    "ace_agent": (*NEVER, *READING),
}


def test_no_role_can_do_what_it_must_not(postgres_url: str) -> None:
    _run(postgres_url, *OPERATIONAL)
    _built(postgres_url, 1).publish()
    _made(postgres_url)
    assert _as(postgres_url, "ace_loader", "select name from public.products") == [("Lamp",)]
    done = []
    for role, statements in FORBIDDEN.items():
        for statement in statements:
            try:
                # A session of its own: roles cannot be set back.
                with psycopg.connect(f"{postgres_url}&options=-c%20role%3D{role}") as connection:
                    connection.execute(f"set session authorization {role}")
                    connection.execute(statement)
                done.append((role, statement))
            except psycopg.errors.InsufficientPrivilege:
                pass
    assert done == []
    rows = _as(
        postgres_url,
        "postgres",
        "select rolname, rolcanlogin, rolinherit, rolconfig from pg_roles "
        "where rolname ~ '^ace_(loader|builder|analyst|agent)$' order by 1",
    )
    assert [row[:3] for row in rows] == [
        (f"ace_{role}", False, True) for role in ("agent", "analyst", "builder", "loader")
    ]
    assert "statement_timeout=30s" in rows[0][3]


def test_doing_it_again_does_nothing(postgres_url: str) -> None:
    _run(postgres_url, *OPERATIONAL)
    first = _made(postgres_url)
    assert [one for one in first.statements if "password" in one.lower()] == []
    assert len(first.statements) > 30
    again = _made(postgres_url)
    assert again.statements == []
    assert again.notices == first.notices
    assert any("public.scripts" in one and "create policy" in one for one in first.notices)
    # What was lost comes back, and nothing else happens.
    _run(postgres_url, "revoke usage on schema marts from ace_agent", "drop schema build_marts")
    assert _made(postgres_url).statements == [
        'create schema "build_marts" authorization "ace_builder"',
        'grant usage on schema "marts" to "ace_agent"',
    ]


def test_a_warehouse_of_somebody_else_is_taken_over_only_when_asked(postgres_url: str) -> None:
    build(postgres_url, 1).publish()
    with pytest.raises(AceError, match=r"belongs to postgres, and 7 more") as error:
        _made(postgres_url)
    assert "--take-over" in error.value.hint
    _made(postgres_url, take_over=True)
    assert _as(postgres_url, "ace_agent", "select count(*) from marts.twins") == [(3,)]
    assert _made(postgres_url).statements == []


def test_a_role_that_is_there_and_can_do_more_is_refused(
    postgres_url: str, pg_server: PgServer
) -> None:
    _run(postgres_url, "create role ace_agent createdb")
    with pytest.raises(AceError, match="ace_agent is there already, and may do more"):
        _made(postgres_url)
    assert (
        _as(postgres_url, "postgres", "select 1 from pg_roles where rolname = 'ace_loader'") == []
    )
    _made(postgres_url, prefix="other_")
    _drop(pg_server, "other_")
    for prefix in ("A", "x y", 'x"', "1", "a" * 30):
        with pytest.raises(UsageError, match="begin the name of a role"):
            _made(postgres_url, prefix=prefix)


@pytest.mark.parametrize("server", ["pg_server", "oldest_pg_server"])
def test_whoever_may_make_roles_may_do_it(
    server: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str],
    ace_home: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """As on a hosted server, whose administrator is no superuser."""
    running: PgServer = request.getfixturevalue(server)
    url = running.create_database("roles")
    name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
    _run(running.url(), f"create role {PASSWORD_ROLE}_admin login createrole password '{PASSWORD}'",
         f'alter database "{name}" owner to {PASSWORD_ROLE}_admin')  # fmt: skip
    admin = running.url(name, f"{PASSWORD_ROLE}_admin", PASSWORD)
    monkeypatch.setenv("ACE_POSTGRES_URL", admin)

    def ace(*words: str) -> tuple[int, str, str]:
        settings.cache_clear()
        with pytest.raises(SystemExit) as stopped:
            main(["init-postgres", *words])
        out, err = capsys.readouterr()
        assert PASSWORD not in out + err
        return int(stopped.value.code or 0), out, err

    code, out, err = ace("--dry-run")
    assert (code, "Nothing was done" in err) == (0, True), err
    assert 'create role "ace_builder" nologin;\n' in out
    assert _as(url, "postgres", "select 1 from pg_roles where rolname ~ '^ace_builder'") == []
    code, out, err = ace("--json")
    told = json.loads(out)
    assert set(told) == {"roles", "statements", "notices", "dry_run"}
    assert told["roles"]["agent"] == "ace_agent"
    code, out, err = ace()
    assert (code, err) == (0, "")
    assert out.startswith("Everything was there already.\n")
    # The administrator took no part in it for longer than it needed to.
    member = f"select pg_has_role('{PASSWORD_ROLE}_admin', 'ace_builder', 'usage')"
    assert _as(url, "postgres", member) == [(False,)]
    monkeypatch.setenv("ACE_POSTGRES_URL", running.url(name, PASSWORD_ROLE, PASSWORD))
    if server == "pg_server":
        _run(url, "drop owned by ace_agent", "drop role ace_agent")
        code, out, err = ace()
        assert (code, "The roles could not be made: permission denied" in err) == (1, True)
    running.drop_database(url)
    _drop(running, "ace_")
    _run(running.url(), f"drop role {PASSWORD_ROLE}_admin")
