"""Roles and locks on Postgres: who reads releases, what others made on them, who may publish."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from common.errors import AceError, UsageError
from repositories.connection import NoReleaseError, open_release
from tests.conftest import PgServer
from tests.support.small_postgres import build
from warehouse.release import pg_public, postgres
from warehouse.release.model import Passed
from warehouse.release.postgres import PostgresStore

pytestmark = pytest.mark.postgres

ROLES = ("analyst", "Data Science", "anon", "authenticated", "service_role", "other_owner")
#: A build whose public views cannot all be replaced in place.
OTHER_TYPE = (
    "drop table build_marts.twins; create table build_marts.twins (a text);"
    "insert into build_marts.twins values ('x')"
)
BETWEEN = (
    "create or replace view build_canonical.products as select product_id, name, meta, tags, "
    "price, 7 as extra from build_intermediate.int_products;"
    "drop table build_marts.twins; create table build_marts.twins (before int, a int, after int);"
    "insert into build_marts.twins values (1, 2, 3)"
)


@pytest.fixture(scope="module", autouse=True)
def roles(pg_server: PgServer) -> Iterator[None]:
    def each(statement: str) -> None:
        with psycopg.connect(pg_server.url(), autocommit=True) as connection:
            for name in ROLES:
                connection.execute(statement.format(name))

    each('create role "{}" login')
    yield
    each('drop role "{}"')


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _as(url: str, role: str) -> str:
    return f"{url}&user={role.replace(' ', '%20')}"


def _read(url: str, query: str, role: str = "postgres", release: int | None = None) -> Any:
    where = _as(url, role)
    with open_release("", release, target="postgres", postgres_url=where) as reader:  # type: ignore[arg-type]
        return reader.query(query).rows


def test_readers_that_are_named_read_everything_and_nothing_else(postgres_url: str) -> None:
    readers = ["analyst", "Data Science"]
    build(postgres_url, 1, readers=readers).publish()
    for number, change in ((2, BETWEEN), (3, OTHER_TYPE)):
        for role in readers:
            assert _read(postgres_url, "select count(*) from canonical.products", role) == [(100,)]
            for table in ("release", "releases", "columns", "loads", "tests", "row_counts"):
                assert _read(postgres_url, f"select count(*) from meta.{table}", role)
            with pytest.raises(AceError, match=r"may not read that.*schema release"):
                _read(postgres_url, "select count(*) from release.marts__twins", role)
        # Views that are replaced and views that are made anew stay readable.
        change += ";create table build_marts.fresh as select 1 as a" if number == 2 else ""
        build(postgres_url, number, change, readers=readers).publish()
    assert _read(postgres_url, "select a from marts.twins", "analyst") == [("x",)]
    assert _read(postgres_url, "select a from marts.fresh", "analyst") == [(1,)]
    assert _read(postgres_url, "select release from meta.release", "analyst", 3) == [(3,)]
    with pytest.raises(UsageError, match=r"Release 1 is not kept .kept: 3"):
        _read(postgres_url, "select 1", "analyst", 1)


def test_readers_are_let_in_without_a_new_release(postgres_url: str) -> None:
    build(postgres_url, 1).publish()
    with pytest.raises(AceError, match="ACE_READERS") as error:
        _read(postgres_url, "select 1 from meta.release", "analyst")
    assert not isinstance(error.value, NoReleaseError)
    PostgresStore(postgres_url, 3, ["analyst"]).share()
    assert _read(postgres_url, "select count(*) from marts.twins", "analyst") == [(3,)]


def test_nobody_is_let_in_who_was_not_named(postgres_url: str) -> None:
    build(postgres_url, 1, readers=["analyst"]).publish()
    seen = _rows(
        postgres_url,
        "select distinct a.grantee::regrole::text from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace, aclexplode(c.relacl) as a "
        "where n.nspname in ('canonical', 'marts', 'meta', 'release') and c.relkind in ('r', 'v')",
    )
    assert sorted(seen) == [("analyst",), ("postgres",)]
    for name in ("anon", "service_role", "PUBLIC", "analyst, authenticated"):
        with pytest.raises(UsageError, match="strangers"):
            pg_public.parse_readers(name)
    assert pg_public.parse_readers(" analyst,Data Science, ") == ["analyst", "Data Science"]
    with pytest.raises(UsageError, match="no such role"):
        PostgresStore(postgres_url, 3, ["nobody"]).prepare()


def test_grants_made_by_hand_survive(postgres_url: str) -> None:
    build(postgres_url, 1).publish()
    _run(
        postgres_url,
        "grant usage on schema canonical, marts to analyst, anon",
        "grant select on marts.twins to analyst with grant option",
        'grant select (name, price) on canonical.products to "Data Science"',
        "grant select on canonical.products to public",
        "alter default privileges in schema marts grant select on tables to other_owner, anon",
    )
    before = set(_rows(postgres_url, "select relname, relacl::text from pg_class "
                       "where relnamespace = 'marts'::regnamespace and relkind = 'v'"))  # fmt: skip
    build(postgres_url, 2, OTHER_TYPE + ";create table build_marts.fresh (a int)").publish()
    changed = "drop view build_canonical.products; create view build_canonical.products as select "
    changed += "product_id, name, meta, tags, price::text as price "
    changed += "from build_intermediate.int_products"
    build(postgres_url, 3, changed).publish()
    after = set(_rows(postgres_url, "select relname, relacl::text from pg_class "
                      "where relnamespace = 'marts'::regnamespace and relkind = 'v'"))  # fmt: skip
    assert before <= after
    assert _rows(
        postgres_url,
        "select has_table_privilege('other_owner', 'marts.fresh', 'select'), "
        "has_table_privilege('anon', 'marts.twins', 'select')",
    ) == [(True, False)]
    assert _rows(
        postgres_url,
        "select has_column_privilege('Data Science', 'canonical.products', 'price', 'select'), "
        "relacl::text like '%,=r/%' from pg_class where oid = 'canonical.products'::regclass",
    ) == [(True, True)]


def test_what_others_made_on_a_view_stays(postgres_url: str) -> None:
    build(postgres_url, 1).publish()
    _run(
        postgres_url,
        "create view public.mine as select *, a + 1 as next from marts.twins",
        "create function public.all_products() returns bigint language sql "
        "begin atomic select count(*) from canonical.products; end",
    )
    # Columns that come between others come at the end of the view.
    build(postgres_url, 2, BETWEEN).publish()
    assert _rows(postgres_url, "select a, next from public.mine") == [(2, 3)]
    assert _rows(postgres_url, "select before, a, after from marts.twins") == [(1, 2, 3)]
    assert _rows(postgres_url, "select public.all_products()") == [(100,)]
    view = "select oid, xmin from pg_class where oid = 'marts.twins'::regclass"
    made = _rows(postgres_url, view)
    build(postgres_url, 3, "insert into build_marts.twins values (4, 5, 6)").publish()
    # The second time nothing is replaced: readers do not wait.
    assert made == _rows(postgres_url, view)
    # What cannot stay is named before anything is changed.
    store = build(postgres_url, 4, OTHER_TYPE)
    with pytest.raises(AceError, match=r"marts.twins lost a column.*: view public.mine") as error:
        store.publish()
    assert "Drop that" in error.value.hint
    assert [one.release for one in store.releases()] == [3, 2, 1]
    assert _rows(postgres_url, "select count(*) from public.mine") == [(2,)]
    _run(postgres_url, "drop view public.mine")
    assert store.publish().release == 4
    less = "drop view build_canonical.products; create view build_canonical.products as "
    store = build(postgres_url, 5, less + "select product_id from build_intermediate.int_products")
    with pytest.raises(AceError, match=r"function (public\.)?all_products\(\)"):
        store.publish()


def test_a_reader_that_never_ends_does_not_hold_everybody_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 1)
    build(postgres_url, 1, readers=["analyst"]).publish()
    store = build(postgres_url, 2, BETWEEN)
    with psycopg.connect(_as(postgres_url, "analyst")) as reader:
        reader.execute("select * from marts.twins")
        pid = reader.info.backend_pid
        with pytest.raises(AceError, match=f"process {pid} of user analyst"):
            store.publish()
        # Others read on meanwhile.
        assert _read(postgres_url, "select release from meta.release") == [(1,)]
    assert store.publish().release == 2


def test_a_build_that_was_overtaken_releases_nothing(postgres_url: str) -> None:
    store = build(postgres_url, 1)
    store.publish()
    store = build(postgres_url, 2, "delete from build_intermediate.int_products")
    another = "insert into build_meta.builds values (3, now(), now(), 'another')"
    _run(postgres_url, another)
    with pytest.raises(AceError, match="Another build began while this one ran"):
        store.publish()
    passed = Passed("f", None, "1.11.16", "run-2")
    with pytest.raises(AceError, match="Another build began while this one ran"):
        store.record_passed(passed)
    assert [one.release for one in store.releases()] == [1]
    assert store.unreleased() is None


def test_no_build_begins_while_one_is_published(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = build(postgres_url, 1)
    refused: list[str] = []
    go_on = postgres._meta_release_view

    def meanwhile(connection: postgres.Connection) -> None:
        with psycopg.connect(postgres_url) as other:
            other.execute("set lock_timeout = '300ms'")
            for statement in (
                "insert into build_meta.builds values (2, now(), now(), 'another')",
                "select pg_advisory_xact_lock(1094927648, 2)",
            ):
                with pytest.raises(psycopg.errors.LockNotAvailable), other.transaction():
                    other.execute(statement)
                refused.append(statement)
        go_on(connection)

    monkeypatch.setattr(postgres, "_meta_release_view", meanwhile)
    store.publish()
    assert len(refused) == 2


def test_the_builder_without_rights_is_told_before_the_work(
    postgres_url: str, pg_server: PgServer
) -> None:
    with pytest.raises(AceError, match=r"may not write schema release"):
        PostgresStore(_as(postgres_url, "other_owner"), 3).prepare()
    _run(postgres_url, "create schema marts authorization analyst")
    PostgresStore(postgres_url, 3).prepare()
    build(postgres_url, 1).publish()
    with pytest.raises(AceError, match="must be the one that builds"):
        PostgresStore(_as(postgres_url, "other_owner"), 3).releases()


#: Damage to the releases of a database, and what the next release is numbered.
DAMAGES = {
    "no current": ("delete from release.current", 3),
    "an unknown current": ("update release.current set release = 99", 3),
    "newest rows gone": ("delete from release.releases where release > 1", 4),
    "the list is empty": ("truncate release.releases", 4),
    "no list": ("drop table release.releases cascade", 4),
    "no pointer": ("drop table release.current cascade", 3),
    "a table gone": ("drop table release.marts__twins cascade", 4),
    "a view gone": ("drop view marts.twins", 4),
    "no manifest": ("drop view meta.release", 4),
    "no counts": ("drop table release.meta__row_counts cascade", 4),
    "all tables gone": ("drop schema release cascade", 1),
    "all views gone": ("drop schema canonical, marts, meta cascade", 4),
    "the only column gone": ("alter table release.marts__twins drop column a cascade", 4),
    "a column gone": ("alter table release.canonical__products drop column name cascade", 4),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_releases_do_not_stop_the_next(postgres_url: str, damage: str) -> None:
    for number in (1, 2, 3):
        change = f"insert into build_marts.twins values ({number}), (7)"
        store = build(postgres_url, number, change)
        store.publish()
    statement, number = DAMAGES[damage]
    _run(postgres_url, statement)
    assert store.current() is None
    if store.releases():
        assert "ace build" in store.damaged()[-1]
    with contextlib.suppress(AceError):  # a sentence, where a reader cannot read it
        _read(postgres_url, "select * from marts.twins")
    made = store.publish()
    assert (made.release, made.current) == (number, True)
    assert store.damaged() == []
    assert _read(postgres_url, "select count(*), sum(a) from marts.twins") == [(9, 29)]
    assert _read(postgres_url, "select release from meta.release") == [(number,)]
    assert _read(postgres_url, "select max(name) from canonical.products") == [("n99",)]
    # What is still listed can be gone back to, and shows what it showed.
    for one in store.releases():
        if one.release != number:
            store.rollback(one.release)
            rows = _read(postgres_url, "select count(*) from marts.twins")
            assert rows == [(3 + 2 * one.release,)]
            assert _read(postgres_url, "select max(name) from canonical.products") == [("n99",)]
