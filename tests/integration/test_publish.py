"""``ace publish``: what readers of another Postgres find, whatever happens meanwhile."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from common.errors import AceError, UsageError
from common.settings import Settings
from repositories.connection import open_release
from tests.conftest import PASSWORD, PASSWORD_ROLE, PgServer
from tests.support import small_release
from warehouse.cli import main
from warehouse.publish import Publication, access, publication, publish, session
from warehouse.publish.session import Target
from warehouse.settings import settings

pytestmark = pytest.mark.postgres

ROLES = ("anon", "authenticated", "dashboard", "service_role")
POSTS = {
    "post_id": "uuid", "platform": "text", "product_id": "uuid", "views": "bigint",
    "rate": "double precision", "is_new": "boolean", "published_at": "timestamptz",
    "day": "date", "tags": "text[]", "note": "json",
}  # fmt: skip
#: Texts that COPY, arrays or JSON could take for something else.
TEXTS = ["", "\\N", "\\.", "a\nb\r\nc\td", "\\", "NULL", '"', "'; drop table x --", "{a,b}",
         "Ünï 😀", "\\t", "\n\\.\n", ",", " x "]  # fmt: skip
NUMBERS = [0.1, 1e300, 5e-324, -0.0, math.inf, math.nan, 0.30000000000000004, None]


def _post(number: int, **values: Any) -> dict[str, Any]:
    text = TEXTS[number % len(TEXTS)]
    return {
        "post_id": UUID(int=number + 1),
        "platform": text,
        "product_id": None if number % 3 else UUID(int=number % 5),
        "views": [0, 2**62, -1, None][number % 4],
        "rate": NUMBERS[number % len(NUMBERS)],
        "is_new": [True, False, None][number % 3],
        "published_at": datetime(1969, 12, 31, 23, 59, 59, 123456, UTC) + timedelta(days=number),
        "day": date(2026, 1, 1) + timedelta(days=number),
        "tags": [None, [], [text], [text, None, "NULL"]][number % 4],
        "note": [None, {text or "k": [text, 1.5, None]}, text, []][number % 4],
    } | values


ROWS = [_post(number) for number in range(120)]
HISTORY = {"post_id": "uuid", "collected_at": "timestamptz", "views": "bigint"}
POLLS: list[dict[str, Any]] = [
    {"post_id": UUID(int=number % 100 + 1), "views": number,
     "collected_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)}
    for number in range(200)
]  # fmt: skip
PRODUCTS = {"product_id": "uuid", "name": "text"}
Rows = Sequence[Mapping[str, Any]]


def _tables(
    rows: Rows = ROWS, columns: Mapping[str, str] = POSTS
) -> dict[str, tuple[Mapping[str, str], Rows]]:
    return {
        "marts.post_performance": (columns, rows),
        "marts.post_metric_history": (HISTORY, POLLS),
        "canonical.products": (PRODUCTS, [{"product_id": UUID(int=1), "name": "Lamp"}]),
    }


@pytest.fixture(scope="module", autouse=True)
def roles(pg_server: PgServer) -> Iterator[None]:
    with psycopg.connect(pg_server.url(), autocommit=True) as connection:
        for role in ROLES:
            connection.execute(f"create role {role} {'bypassrls' * (role == 'service_role')}")
        yield
        for role in ROLES:
            connection.execute(f"drop role {role}")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Release 1 on DuckDB; only read."""
    return small_release.release(_tables(), tmp_path_factory.mktemp("first"))


def _publish(config: Settings, url: str, schema: str = "marts", **options: Any) -> Publication:
    with open_release(
        config.home, target=config.target, postgres_url=config.postgres_url
    ) as reader:
        return publish(reader, Target(url, "ACE_PUBLISH_URL", schema), **options)


def _rows(url: str, query: str, role: str = "postgres") -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        connection.execute(f"set role {role}")
        return connection.execute(query).fetchall()


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _posts(url: str) -> list[dict[str, Any]]:
    names = ", ".join(POSTS)
    rows = _rows(url, f"select {names} from marts.post_performance order by post_id")
    return [dict(zip(POSTS, row, strict=True)) for row in rows]


def _same(left: Rows, right: Rows) -> bool:
    """Equal, and NaN is NaN."""

    def told(rows: Rows) -> list[dict[str, str]]:
        return [
            {name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else repr(value)
             for name, value in row.items()}
            for row in rows
        ]  # fmt: skip

    return told(left) == told(right)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_every_value_arrives_and_then_only_what_changed(
    engine: str, postgres_url: str, pg_server: PgServer, tmp_path: Path
) -> None:
    source = pg_server.create_database("source") if engine == "postgres" else None
    config = small_release.release(_tables(), tmp_path, source)
    done = _publish(config, postgres_url)
    assert (done.sent, done.tables["post_performance"].sent) == (done.rows, 120)
    assert _same(_posts(postgres_url), ROWS)
    # Nothing new: nothing is sent, with every row compared or without.
    for force in (False, True):
        again = _publish(config, postgres_url, force=force)
        assert (again.sent, again.removed, again.rows) == (0, 0, done.rows)
    # One changed, one gone, one new, one with the key of another.
    rows = [*ROWS[:50], ROWS[51] | {"views": 7}, *ROWS[52:], _post(120)]
    small_release.release(_tables(rows), tmp_path, source, 2)
    changed = _publish(config, postgres_url)
    assert changed.release.number == 2
    assert (changed.sent, changed.removed) == (2, 1)
    assert _same(_posts(postgres_url), rows)
    told = _rows(postgres_url, "select release, as_of, released_at, engine from marts.publication")
    assert told == [(2, done.release.as_of, changed.release.released_at, engine)]
    if source:
        pg_server.drop_database(source)


def test_both_engines_publish_the_same(
    first: Settings, postgres_url: str, pg_server: PgServer, tmp_path: Path
) -> None:
    source = pg_server.create_database("source")
    config = small_release.release(_tables(), tmp_path, source)
    for one, schema in ((first, "duck"), (config, "post")):
        _publish(one, postgres_url, schema, canonical=True)
    for table in ("post_performance", "post_metric_history", "products"):
        rows = [
            _rows(postgres_url, f"select t::text from {schema}.{table} as t order by 1")
            for schema in ("duck", "post")
        ]
        shapes = [
            _rows(
                postgres_url,
                "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
                f"where attrelid = '{schema}.{table}'::regclass and attnum > 0 order by attnum",
            )
            for schema in ("duck", "post")
        ]
        assert rows[0] == rows[1]
        assert shapes[0] == shapes[1]
    pg_server.drop_database(source)


def test_tables_have_keys_indexes_and_what_the_docs_say(first: Settings, postgres_url: str) -> None:
    _publish(first, postgres_url, canonical=True)
    indexes = _rows(
        postgres_url,
        "select indexname from pg_indexes where schemaname = 'marts' order by indexname",
    )
    assert {one for (one,) in indexes} >= {
        "post_performance_key", "post_performance_by_product_id", "post_metric_history_key",
        "products_key",
    }  # fmt: skip
    about = _rows(
        postgres_url,
        "select obj_description('marts.post_performance'::regclass), "
        "obj_description('marts.products'::regclass), "
        "col_description('marts.products'::regclass, 2)",
    )
    assert about[0][0].startswith("One row about every published post")
    assert about[0][1].startswith("Everything ACE makes content about")
    assert about[0][2] == "What shoppers call it; isn't a key."


def test_a_long_reader_and_a_publication_do_not_wait_for_each_other(
    first: Settings, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(first, postgres_url, canonical=True)
    read = (
        "select (select sum(views) from marts.post_metric_history), release from marts.publication"
    )
    before = _rows(postgres_url, read)
    polls = [one | {"views": one["views"] + 1} for one in POLLS[1:]]
    config = small_release.release(
        _tables() | {"marts.post_metric_history": (HISTORY, polls)}, tmp_path, number=1
    )
    monkeypatch.setattr(session, "LOCK_SECONDS", 1)
    seen = []

    def meanwhile(*given: Any) -> None:
        with psycopg.connect(postgres_url) as other:
            other.execute("set lock_timeout = '300ms'")
            seen.append(other.execute(read).fetchall())
        monkeypatch.undo()
        access.let_in(*given)

    monkeypatch.setattr(access, "let_in", meanwhile)
    with psycopg.connect(postgres_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for table in ("post_performance", "post_metric_history", "products", "publication"):
            reader.execute(f"select count(*) from marts.{table}")
        assert _publish(config, postgres_url).sent == 199
        # Whoever began before has what was there, in all tables alike, and so had the other.
        assert reader.execute(read).fetchall() == before
    assert seen == [before]
    assert _rows(postgres_url, read)[0][0] == before[0][0] + 199


@pytest.mark.parametrize("failing", ["send", "_write_row"])
def test_what_fails_halfway_leaves_what_was_there(
    failing: str, first: Settings, postgres_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _publish(first, postgres_url)
    everything = "select post_performance::text from marts.post_performance union all "
    everything += "select publication::text from marts.publication order by 1"
    before = _rows(postgres_url, everything)
    rows = [one | {"views": 3} for one in ROWS[5:]]
    config = small_release.release(_tables(rows, POSTS | {"more": "text"}), tmp_path)
    go_on: Callable[..., Any] = getattr(publication, failing)
    calls = []

    def stop(*given: Any) -> Any:
        calls.append(given)
        if failing == "send" and len(calls) == 1:
            return go_on(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(publication, failing, stop)
    with pytest.raises(KeyboardInterrupt):
        _publish(config, postgres_url)
    assert _rows(postgres_url, everything) == before
    monkeypatch.undo()
    _publish(config, postgres_url)
    assert _rows(postgres_url, "select count(*), min(views) from marts.post_performance") == [
        (115, 3)
    ]


def test_one_publication_at_a_time(
    first: Settings, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    go_on = publication._write_row

    def meanwhile(*given: Any) -> Any:
        monkeypatch.undo()
        with pytest.raises(AceError, match=r"schema marts is running \(ace publish, process") as no:
            _publish(first, postgres_url, wait=0.1)
        said.append(no.value.hint)
        # Another schema has nothing to do with it.
        _publish(first, postgres_url, "others")
        return go_on(*given)

    monkeypatch.setattr(publication, "_write_row", meanwhile)
    _publish(first, postgres_url)
    assert "--wait" in said[0]


def test_columns_that_change_change_the_table_in_one_go(
    first: Settings, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_SECONDS", 1)
    _publish(first, postgres_url, grants=["dashboard"])
    _run(
        postgres_url,
        "grant select on marts.post_performance to authenticated",
        "grant select (views, rate) on marts.post_performance to anon",
        "create policy few on marts.post_performance as restrictive for select to dashboard "
        "using (views = 0)",
    )
    columns = {name: kind for name, kind in POSTS.items() if name != "rate"} | {"more": "text"}
    rows = [one | {"more": "x"} for one in ROWS]
    config = small_release.release(_tables(rows, columns), tmp_path)
    with psycopg.connect(postgres_url) as reader:
        reader.execute("select count(*) from marts.post_performance")
        with pytest.raises(AceError, match=r"change their shape, and process \d+ of user postgres"):
            _publish(config, postgres_url)
    _run(postgres_url, "create view public.mine as select rate from marts.post_performance")
    with pytest.raises(AceError, match=r"has other columns now, and this is made on it: view"):
        _publish(config, postgres_url)
    _run(postgres_url, "drop view public.mine")
    done = _publish(config, postgres_url)
    assert {name: one.sent for name, one in done.tables.items() if one.sent} == {
        "post_performance": 120
    }
    with pytest.raises(psycopg.errors.UndefinedColumn):
        _rows(postgres_url, "select rate from marts.post_performance")
    assert _rows(postgres_url, "select distinct more from marts.post_performance") == [("x",)]
    # Who may read it, and what of it, is as it was.
    policies = "select policyname, roles::text[] from pg_policies where tablename = %r order by 1"
    assert _rows(postgres_url, policies % "post_performance") == [
        ("ace_readers", ["dashboard", "service_role"]), ("few", ["dashboard"])
    ]  # fmt: skip
    assert _rows(
        postgres_url,
        "select has_table_privilege('authenticated', oid, 'select'), "
        "has_column_privilege('anon', oid, 'views', 'select'), "
        "has_table_privilege('anon', oid, 'select'), relrowsecurity "
        "from pg_class where oid = 'marts.post_performance'::regclass",
    ) == [(True, True, False, True)]
    assert _publish(config, postgres_url, force=True).sent == 0


def test_an_older_release_is_published_only_when_that_is_meant(
    first: Settings, postgres_url: str, tmp_path: Path
) -> None:
    config = small_release.release(_tables(ROWS[:10]), tmp_path)
    _publish(config, postgres_url)
    with pytest.raises(AceError, match=r"Schema marts has release 1 .*newer than release 1"):
        _publish(first, postgres_url)
    assert len(_posts(postgres_url)) == 10
    assert _publish(first, postgres_url, force=True).tables["post_performance"].sent == 110
    assert len(_posts(postgres_url)) == 120


def test_only_named_roles_read_and_nobody_writes(first: Settings, postgres_url: str) -> None:
    # As in a schema where a project gives everything to everybody.
    _run(
        postgres_url,
        "create schema marts",
        "alter default privileges grant all on tables to anon, authenticated, public",
    )
    _publish(first, postgres_url, canonical=True)
    _run(postgres_url, "grant usage on schema marts to anon, dashboard")
    count = "select count(*) from marts.{}"
    for table in ("post_performance", "products", "publication"):
        assert _rows(postgres_url, count.format(table), "service_role")[0][0] > 0
        for role in ("anon", "dashboard"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                _rows(postgres_url, count.format(table), role)
    # A grant to everybody, as guides recommend for a schema that is exposed, shows no row.
    _run(
        postgres_url,
        "grant all on all tables in schema marts to anon, authenticated, service_role",
    )
    assert _rows(postgres_url, count.format("products"), "anon") == [(0,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        _rows(postgres_url, "insert into marts.products values (gen_random_uuid())", "anon")
    # Naming a role lets it in, the others stay, and it has nothing but SELECT.
    _publish(first, postgres_url, grants=["dashboard", "service_role"])
    for role in ("dashboard", "service_role"):
        assert _rows(postgres_url, count.format("post_performance"), role) == [(120,)]
        for statement in (
            "insert into marts.products values (gen_random_uuid())",
            "update marts.post_performance set views = 1",
            "delete from marts.publication",
            "truncate marts.products",
            "create table marts.mine (a int)",
            "select * from marts_publication.products",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                _rows(postgres_url, statement, role)
    for role, words in (("nobody", "no such role"), ("public", "let everybody")):
        with pytest.raises(UsageError, match=words):
            _publish(first, postgres_url, grants=[role])


def test_a_role_that_was_let_in_reads_what_comes_later(
    first: Settings, postgres_url: str, tmp_path: Path
) -> None:
    _publish(first, postgres_url, grants=["dashboard"])
    config = small_release.release(
        _tables() | {"marts.creative_briefs": ({"product_id": "uuid", "brief": "json"},
                                               [{"product_id": UUID(int=1), "brief": {}}])},
        tmp_path,
    )  # fmt: skip
    _publish(config, postgres_url)
    assert _rows(postgres_url, "select count(*) from marts.creative_briefs", "dashboard") == [(1,)]


def test_canonical_tables_stay_until_they_are_not_wanted(
    first: Settings, postgres_url: str
) -> None:
    _publish(first, postgres_url, canonical=True)
    assert "products" in _publish(first, postgres_url).tables
    done = _publish(first, postgres_url, canonical=False)
    assert done.dropped == ["products"]
    found = "select schemaname from pg_tables where tablename = 'products'"
    assert _rows(postgres_url, found) == []
    assert "products" not in _publish(first, postgres_url).tables


def test_rows_changed_by_hand_are_sent_anew(first: Settings, postgres_url: str) -> None:
    _publish(first, postgres_url)
    _run(
        postgres_url,
        "delete from marts.post_performance where views = 0",
        "insert into marts.post_performance (post_id) values (gen_random_uuid())",
        "drop table marts.post_metric_history",
    )
    _publish(first, postgres_url, force=True)
    assert _same(_posts(postgres_url), ROWS)
    assert _rows(postgres_url, "select count(*) from marts.post_metric_history") == [(200,)]


def test_tables_of_others_are_left_alone(first: Settings, postgres_url: str) -> None:
    _run(
        postgres_url,
        "create table public.products (a int)",
        "create view public.post_performance as select 1 as a",
    )
    with pytest.raises(UsageError, match=r"public.post_performance is there already"):
        _publish(first, postgres_url, "public")
    _run(postgres_url, "drop view public.post_performance")
    with pytest.raises(UsageError, match=r"public.products is there already"):
        _publish(first, postgres_url, "public", canonical=True)
    assert _rows(postgres_url, "select count(*) from pg_namespace where nspname ~ '_publ'") == [
        (0,)
    ]
    for name in ('x"; drop schema public', "pg_x", "Marts", "", "auth", "a" * 52):
        with pytest.raises(UsageError, match="schema called"):
            Target(postgres_url, "--to", name)


def _ace(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    settings.cache_clear()
    with pytest.raises(SystemExit) as stopped:
        main(["publish", *words])
    out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    return int(stopped.value.code or 0), out, err


def test_the_command_says_what_it_did_and_no_password(
    first: Settings, ace_home: Path, postgres_url: str, pg_server: PgServer,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("ACE_HOME", str(first.home))
    code, _, err = _ace(capsys)
    assert (code, "ACE_PUBLISH_URL" in err) == (2, True)
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    secret = pg_server.url(str(name), PASSWORD_ROLE, PASSWORD)
    monkeypatch.setenv("ACE_PUBLISH_URL", secret)
    code, _, err = _ace(capsys)
    assert code == 1
    assert (
        f"The user of ACE_PUBLISH_URL may not publish: permission denied for database {name}."
        in err
    )
    _run(postgres_url, f"grant create on database {name} to {PASSWORD_ROLE}")
    code, out, err = _ace(capsys)
    assert (code, err) == (0, "")
    assert out.startswith(
        "Release 1 (as of 2026-11-20 12:00 UTC) is in schema marts of Postgres at "
    )
    assert "4 tables, 322 rows: 322 sent, 0 removed in " in out
    code, out, err = _ace(capsys, "--json", "--to", secret)
    told = json.loads(out)
    assert set(told) == {"release", "as_of", "released_at", "published_at", "schema", "rows",
                         "sent", "removed", "seconds", "tables", "dropped"}  # fmt: skip
    assert (told["release"], told["rows"], told["sent"]) == (1, 322, 0)
    assert set(told["tables"][0]) == {"table", "rows", "sent", "removed"}
    assert "shows in the process list" in err
    for broken in (
        secret.replace("5432", "1"), secret.replace("s3cret", "other"),
        f"postgresql://u:{PASSWORD}@@/x", f"host=/nowhere password={PASSWORD}",
    ):  # fmt: skip
        code, out, err = _ace(capsys, "--to", broken)
        assert (code in (1, 2), out, "unexpected" in err) == (True, "", False)
    code, _, err = _ace(capsys, "--grant", "anon")
    assert (code, "everybody who has the project's public key" in err) == (0, True)
    _run(postgres_url, f"revoke create on database {name} from {PASSWORD_ROLE}")
    _run(postgres_url, f"drop owned by {PASSWORD_ROLE}")


def test_a_row_the_server_does_not_take_is_told(
    first: Settings, postgres_url: str, tmp_path: Path
) -> None:
    _publish(first, postgres_url)
    twice = replace(first, home=tmp_path)
    small_release.release(_tables([*ROWS, ROWS[3] | {"views": 5}]), tmp_path)
    with pytest.raises(AceError, match="has 121 rows, and 120 arrived"):
        _publish(twice, postgres_url)
    with pytest.raises(AceError, match="could not be published: ON CONFLICT"):
        _publish(twice, postgres_url, "other")
    assert _same(_posts(postgres_url), ROWS)
