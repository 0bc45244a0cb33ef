"""Releases on Postgres: one transaction, immutable, pinnable, at the cost of the change."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from common.errors import AceError, UsageError
from common.pgconnect import own_sql
from repositories.connection import NoReleaseError, open_release
from tests.support.small_postgres import build as _build
from warehouse.build.lock import postgres_lock
from warehouse.release.pg_tables import publish_relation
from warehouse.release.session import connect, profile_environment

pytestmark = pytest.mark.postgres


def _products(url: str, release: str | None = None) -> list[tuple[object, ...]]:
    with open_release("", release, target="postgres", postgres_url=url) as reader:  # type: ignore[arg-type]
        return reader.query("select count(*), max(name) from canonical.products").rows


def test_a_release_is_complete_and_described(postgres_url: str) -> None:
    store = _build(postgres_url, 1)
    assert store.current() is None
    made = store.publish()
    assert (made.release, made.current, made.engine) == (1, True, "postgres")
    assert store.loads(1) == {"l1"}
    with open_release("", target="postgres", postgres_url=postgres_url) as reader:  # type: ignore[arg-type]
        (about,) = reader.query("select * from meta.release").dicts()
        assert about["as_of"] == "2026-11-20T12:00:00Z"
        names = reader.query(
            'select "column", description from meta.columns '
            "where \"table\" = 'products' order by place"
        ).rows
        assert names[1] == ("name", "What it is called.")
        assert reader.query(
            "select c.column_name, t.description, t.grain from meta.columns as c "
            "join meta.tables as t using (table_schema, table_name) where c.place = 2"
        ).rows == [("name", "What is sold.", "a product")]
        assert ("canonical", "products", 100) in reader.query(
            'select "schema", "table", rows from meta.row_counts'
        ).rows
        # Equal rows are rows, too.
        assert reader.query("select count(*) from marts.twins").rows == [(3,)]
        assert reader.query(
            "select meta, tags from canonical.products where product_id = 7"
        ).rows == [({"i": 7}, ["a", None])]


def test_what_passed_can_be_forgotten_and_releases_stay(postgres_url: str) -> None:
    store = _build(postgres_url, 1)
    store.publish()
    store.forget_passed()
    assert store.unreleased() is None
    assert store.current() is not None


def test_only_differences_are_written(postgres_url: str) -> None:
    _build(postgres_url, 1).publish()
    _build(
        postgres_url,
        2,
        "update build_intermediate.int_products set name = 'new' where product_id = 5;"
        "delete from build_intermediate.int_products where product_id = 6;"
        "delete from build_marts.twins where a is null",
    ).publish()
    with psycopg.connect(postgres_url) as connection:
        written = connection.execute(
            "select count(*) filter (where _from_release = 2), "
            "count(*) filter (where _to_release = 2) from release.canonical__products"
        ).fetchone()
        assert written == (1, 2)
        assert connection.execute("select count(*) from marts.twins").fetchone() == (2,)
    assert _products(postgres_url) == [(99, "new")]


def test_what_was_not_written_is_not_read(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[str, str] = {}

    def spied(*given: Any) -> Any:
        _, _, schema, table, _, part = (*given, None)[:6]
        read[f"{schema}.{table}"] = "all" if part is None else part.column
        return publish_relation(*given)

    monkeypatch.setattr("warehouse.release.postgres.publish_relation", spied)

    def reads(build: int, change: str) -> dict[str, str]:
        read.clear()
        _build(postgres_url, build, change).publish()
        return {name: how for name, how in read.items() if not name.startswith("meta.")}

    twins, products = "marts.twins", "canonical.products"
    of_products = "build_intermediate.int_products"
    assert reads(1, "") == {twins: "all", products: "all"}
    assert reads(2, "") == {}
    assert reads(3, "insert into build_marts.twins values (1)") == {twins: "a"}
    assert reads(4, f"update {of_products} set name = 'a' where product_id < 9") == {
        products: "product_id"
    }
    # Most of it, or another definition: comparing everything costs less, or is needed.
    assert reads(5, f"update {of_products} set name = 'b'") == {products: "all"}
    view = "create or replace view build_canonical.products as select product_id, upper(name)"
    assert reads(6, f"{view} as name, meta, tags, price from {of_products}") == {products: "all"}
    assert _products(postgres_url) == [(100, "B")]


#: In turn: each is published on top of those before it.
CHANGES = {
    "a value": "update {table} set name = 'x' where product_id = 5",
    "a row for another": "delete from {table} where product_id = 6; "
    "insert into {table} (product_id, name) values (106, 'n6')",
    "a row moves to another group": "update {table} set product_id = 107 where product_id = 7",
    "two groups change places": "update {table} set product_id = 17 - product_id "
    "where product_id in (8, 9)",
    "a twin": "insert into {table} select * from {table} where product_id = 10",
    "a twin is another": "update {table} set name = 'y' where ctid = "
    "(select ctid from {table} where product_id = 10 limit 1)",
    "a row goes": "delete from {table} where product_id = 11",
    "a group without a name": "insert into {table} (name) values ('a'), ('b')",
    "a value in it": "update {table} set name = 'c' where name = 'a'",
    "one of it goes": "delete from {table} where name = 'c'",
    "most values": "update {table} set price = price + 1 where product_id > 20",
    "another table of as many rows": "drop view build_canonical.products; "
    "create table other as select product_id, name || '!' as name, meta, tags, price from {table}; "
    "drop table {table}; alter table other set schema build_intermediate; "
    "alter table build_intermediate.other rename to int_products; "
    "create view build_canonical.products as select * from {table}",
    "the view's words alone": "create or replace view build_canonical.products as "
    "select * from {table} where product_id <> 30",
    "rows that it leaves out": "update {table} set name = 'z' where product_id = 30",
    "rows that it no longer leaves out": "update {table} set product_id = 31 where product_id = 30",
    "nothing": "select 1",
    "all": "truncate {table}",
}


def test_every_change_is_published_and_older_releases_stay(postgres_url: str) -> None:
    in_order = "order by product_id, name, price"
    shown: list[list[tuple[Any, ...]]] = []
    _build(postgres_url, 1).publish()
    for number, (kind, change) in enumerate(CHANGES.items(), 2):
        sql = change.format(table="build_intermediate.int_products")
        _build(postgres_url, number, sql).publish()
        with psycopg.connect(postgres_url) as connection:
            for release, before in enumerate(shown[-2:], max(2, number - 2)):
                connection.execute("select set_config('ace.release', %s, false)", (str(release),))
                query = f"select * from canonical.products {in_order}"
                assert connection.execute(query).fetchall() == before, kind
            connection.execute("reset ace.release")
            built = connection.execute(f"select * from build_canonical.products {in_order}")
            shown.append(built.fetchall())
            public = connection.execute(f"select * from canonical.products {in_order}")
            assert public.fetchall() == shown[-1], kind
            counted = connection.execute(
                "select rows from meta.row_counts where \"table\" = 'products'"
            )
            assert counted.fetchone() == (len(shown[-1]),), kind


def test_readers_find_rows_by_what_they_look_up(postgres_url: str) -> None:
    change = (
        "create table build_marts.post_performance as select md5(i::text)::uuid as post_id, "
        "md5((i % 99)::text)::uuid as product_id, i from generate_series(1, 5000) as s (i);"
        "create table build_canonical.performance_metrics as select post_id as metric_id, "
        "product_id as post_id from build_marts.post_performance"
    )
    _build(postgres_url, 1, change).publish()
    with psycopg.connect(postgres_url) as connection:
        for schema, table, columns in (
            ("marts", "post_performance", ("post_id", "product_id")),
            ("canonical", "performance_metrics", ("metric_id", "post_id")),
        ):
            connection.execute(own_sql(f"analyze release.{schema}__{table}"))
            for column in columns:
                plan = connection.execute(
                    own_sql(
                        f"explain select * from {schema}.{table} where {column} = md5('7')::uuid"
                    )
                ).fetchall()
                assert f"{schema}__{table}_by_{column}" in str(plan)


def test_pinned_sessions_see_their_release(postgres_url: str) -> None:
    _build(postgres_url, 1).publish()
    store = _build(postgres_url, 2, "delete from build_intermediate.int_products")
    store.publish()
    assert _products(postgres_url) == [(0, None)]
    assert _products(postgres_url, "1") == [(100, "n99")]
    with psycopg.connect(postgres_url) as connection:
        connection.execute("set ace.release = '1'")
        assert connection.execute("select release from meta.release").fetchone() == (1,)
    assert store.rollback(1).release == 1
    assert _products(postgres_url) == [(100, "n99")]
    assert store.publish().release == 2
    assert _products(postgres_url) == [(0, None)]


def test_readers_see_all_of_a_release_or_nothing(postgres_url: str) -> None:
    _build(postgres_url, 1).publish()
    with psycopg.connect(postgres_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute("select count(*) from marts.twins").fetchone() == (3,)
        # Neither side waits for the other, and the open transaction keeps its state.
        _build(postgres_url, 2, "delete from build_intermediate.int_products").publish()
        assert reader.execute("select count(*) from canonical.products").fetchone() == (100,)
        assert reader.execute("select release from meta.release").fetchone() == (1,)


def test_a_failed_publication_changes_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _build(postgres_url, 1).publish()
    store = _build(postgres_url, 2, "delete from build_intermediate.int_products")

    def stopped(*_: object) -> None:
        raise psycopg.OperationalError("server closed the connection")

    monkeypatch.setattr("warehouse.release.postgres._meta_release_view", stopped)
    with pytest.raises(AceError, match="previous release stays current"):
        store.publish()
    assert _products(postgres_url) == [(100, "n99")]
    assert [one.release for one in store.releases()] == [1]


def test_old_releases_are_forgotten_but_not_the_current(postgres_url: str) -> None:
    for build in range(1, 6):
        store = _build(
            postgres_url, build, f"update build_intermediate.int_products set name = 'b{build}'"
        )
        store.publish()
    assert [one.release for one in store.releases()] == [5, 4, 3]
    assert _products(postgres_url, "3") == [(100, "b3")]
    with pytest.raises(UsageError, match=r"Release 1 is not kept .kept: 3, 4, 5."):
        _products(postgres_url, "1")
    with psycopg.connect(postgres_url) as connection:
        kept = connection.execute("select count(*) from release.canonical__products").fetchone()
        assert kept == (300,)
        connection.execute("set ace.release = '1'")
        with pytest.raises(psycopg.errors.RaiseException, match="release 1 is not kept"):
            connection.execute("select * from canonical.products")


def test_a_new_column_keeps_old_releases(postgres_url: str) -> None:
    _build(postgres_url, 1).publish()
    store = _build(
        postgres_url,
        2,
        "create or replace view build_canonical.products as "
        "select *, 1 as extra from build_intermediate.int_products",
    )
    store.publish()
    assert _products(postgres_url, "1") == [(100, "n99")]
    with open_release("", target="postgres", postgres_url=postgres_url) as reader:  # type: ignore[arg-type]
        assert reader.query("select count(extra) from canonical.products").rows == [(100,)]


def test_a_changed_type_ends_the_releases_it_cannot_show(postgres_url: str) -> None:
    _build(postgres_url, 1).publish()
    store = _build(
        postgres_url,
        2,
        "drop table build_marts.twins; create table build_marts.twins (a text);"
        "insert into build_marts.twins values ('x')",
    )
    store.publish()
    assert [one.release for one in store.releases()] == [2]


def test_a_release_can_only_be_read(postgres_url: str) -> None:
    _build(postgres_url, 1).publish()
    with open_release("", target="postgres", postgres_url=postgres_url) as reader:  # type: ignore[arg-type]
        for statement, said in (
            ("delete from release.canonical__products", "only be read"),
            ("create table t (a int)", "only be read"),
            ("commit; drop schema release cascade", "Only one statement"),
            ("select * from canonical.product", "Did you mean canonical.products"),
            ("select * form x", "not valid near"),
            ("select nme from canonical.products", "nme"),
        ):
            with pytest.raises(AceError, match=said) as error:
                reader.query(statement)
            assert "\n" not in str(error.value)
        assert reader.query("select 1.50::numeric as n, 'nan'::float8 as x").rows == [
            ("1.50", None)
        ]


def test_before_the_first_release_it_names_the_next_step(postgres_url: str) -> None:
    with pytest.raises(NoReleaseError, match="ace run"):
        _products(postgres_url)


def test_one_build_at_a_time(postgres_url: str) -> None:
    with (
        connect(postgres_url, autocommit=True) as one,
        connect(postgres_url, autocommit=True) as two,
        postgres_lock(one),
    ):
        with (
            pytest.raises(AceError, match=r"Another build is running .ace build, process"),
            postgres_lock(two, wait=0),
        ):
            pass
        environment = profile_environment(one)
        assert environment["ACE_PG_DATABASE"] in postgres_url
    with connect(postgres_url, autocommit=True) as two, postgres_lock(two, wait=0):
        pass


def test_an_unreachable_server_is_one_sentence_without_the_password() -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/ace"
    with pytest.raises(AceError, match="could not be reached") as error:
        open_release("", target="postgres", postgres_url=url)  # type: ignore[arg-type]
    assert "s3cret" not in str(error.value)
