"""The agent server's queries: one SELECT, read-only by the engine, within its limits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from agent_server.queries.limits import Limits
from agent_server.server import AgentServer
from common.errors import AceError
from common.settings import Settings
from tests.conftest import PgServer
from tests.support import attacks, small_postgres, small_warehouse

#: Long enough for what is fine, so short that what is endless costs little.
LIMITS = Limits(seconds=0.4, memory="300MB", memory_beside=400 * 2**20)
READER = "agent_reader"
engines = pytest.mark.parametrize(
    "engine", ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)

Ask = Callable[[str], list[list[object]]]


class Asked:
    """A server on a small release of one engine."""

    def __init__(self, config: Settings, limits: Limits = LIMITS) -> None:
        self.config = config
        self.server = AgentServer(config, limits=limits)

    def __call__(self, sql: str, **more: object) -> list[list[object]]:
        found: list[list[object]] = self.server.answer("query", {"sql": sql, **more})["rows"]
        return found

    def refused(self, sql: str) -> str:
        with pytest.raises(AceError) as error:
            self(sql)
        return str(error.value)


@pytest.fixture(scope="module")
def asked(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Asked]]:
    """The server of an engine, made when it is first asked for."""
    made: dict[str, Asked] = {}
    with ExitStack() as stack:

        def of(engine: str) -> Asked:
            if engine not in made:
                home = tmp_path_factory.mktemp(engine)
                if engine == "duckdb":
                    config = on_duckdb(home)
                else:
                    server: PgServer = request.getfixturevalue("pg_server")
                    config = on_postgres(server, home, stack)
                made[engine] = Asked(config)
                stack.callback(made[engine].server.close)
            return made[engine]

        yield of


def on_duckdb(home: Path) -> Settings:
    small_warehouse.release(home)
    return Settings(home, "duckdb", str(home / "landing"), None, None, {})


def on_postgres(server: PgServer, home: Path, stack: ExitStack, role: str = READER) -> Settings:
    run(server.url(), f"create role {role} login")
    stack.callback(run, server.url(), f"drop role {role}")
    url = server.create_database("agents")
    stack.callback(server.drop_database, url)
    for number in (1, 2):
        small_postgres.build(url, number, readers=[role]).publish()
    return Settings(home, "postgres", str(home / "landing"), f"{url}&user={role}", None, {})


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def everything(ask: Asked) -> object:
    """What a write would change."""
    if ask.config.target == "duckdb":
        releases = sorted((ask.config.home / "releases").iterdir())
        return [(one.name, sha256(one.read_bytes()).hexdigest()) for one in releases]
    url = (ask.config.postgres_url or "").replace(f"&user={READER}", "")
    with psycopg.connect(url) as connection:
        return connection.execute(
            "select (select count(*) from release.canonical__products), "
            "(select count(*) from pg_class), (select count(*) from pg_largeobject_metadata), "
            "(select count(*) from pg_collation)"
        ).fetchall()


@engines
def test_whatever_is_no_select_on_public_tables_is_refused(
    asked: Callable[[str], Asked], engine: str
) -> None:
    ask = asked(engine)
    before = everything(ask)
    for sql, words in (attacks.ON_BOTH | attacks.ON_ONE[engine]).items():
        said = ask.refused(sql)
        assert re.search(words, said), (sql, said)
        assert "Traceback" not in said
        assert "/work" not in said
    assert everything(ask) == before
    assert not list(Path("/tmp").glob("stolen*"))
    # What is fine still is, and the processes are not used up.
    assert ask("select count(*) from canonical.products -- fine;") == [
        [2 if engine == "duckdb" else 100]
    ]


@engines
def test_a_query_that_would_not_end_is_ended_with_its_process(
    asked: Callable[[str], Asked], engine: str
) -> None:
    ask = asked(engine)
    for sql in attacks.ENDLESS[engine]:
        began = time.monotonic()
        said = ask.refused(sql)
        # Each would take minutes, some of them in a function that heeds no interrupt.
        assert time.monotonic() - began < 15, sql
        assert "took longer than" in said, (sql, said)
    assert ask("select 1 as a") == [[1]]
    if engine == "postgres":
        url = (ask.config.postgres_url or "").replace(f"&user={READER}", "")
        with psycopg.connect(url) as connection:
            running = connection.execute(
                "select query from pg_stat_activity where usename = %s and state = 'active' "
                "and now() - query_start > interval '3 seconds'",
                (READER,),
            ).fetchall()
        assert running == []


@engines
def test_a_query_that_needs_too_much_memory_is_stopped(
    asked: Callable[[str], Asked], engine: str
) -> None:
    beside = LIMITS.memory_beside if engine == "duckdb" else 60 * 2**20
    ask = Asked(asked(engine).config, Limits(60, LIMITS.memory, beside))
    try:
        for sql in attacks.LARGE[engine]:
            assert "memory" in ask.refused(sql), sql
        assert ask("select 1 as a") == [[1]]
    finally:
        ask.server.close()


@engines
def test_large_answers_are_cut_and_say_so(asked: Callable[[str], Asked], engine: str) -> None:
    ask = asked(engine)
    series = "range(1000000) as r(i)" if engine == "duckdb" else "generate_series(0, 999999) as i"
    answer = ask.server.answer("query", {"sql": f"select i from {series}", "limit": 3})
    assert answer["rows"] == [[0], [1], [2]]
    assert answer["has_more"]
    assert "Only the first 3 rows" in answer["notes"][0]
    wide = f"select repeat('x', 5000) as a, i from {series}"
    answer = ask.server.answer("query", {"sql": wide, "limit": 1000})
    assert len(str(answer)) < 100_000
    assert answer["has_more"]
    assert str(answer["rows"][0][0]).endswith("… (3,000 more characters)")
    exact = ask.server.answer("query", {"sql": f"select i from {series} limit 3", "limit": 3})
    assert (exact["has_more"], exact["notes"]) == (False, [])


def test_limits_that_a_query_could_lift_are_fixed(asked: Callable[[str], Asked]) -> None:
    ask = asked("duckdb")
    names = "'max_execution_time', 'memory_limit', 'enable_external_access', 'lock_configuration'"
    settings = [f"current_setting({name})" for name in names.split(", ")]
    ((seconds, memory, external, locked),) = ask(f"select {', '.join(settings)}")
    assert (seconds, external, locked) == (400, False, True)
    assert str(memory).startswith("286")  # MiB


@pytest.mark.postgres
def test_what_a_query_sets_or_locks_ends_with_it(asked: Callable[[str], Asked]) -> None:
    ask = asked("postgres")
    assert ask("select release from meta.release") == [[2]]
    moved = "select set_config('ace.release', '1', false), (select release from meta.release)"
    ask(moved)
    assert ask("select release from meta.release") == [[2]]
    ask("select set_config('statement_timeout', '0', false)")
    assert "took longer" in ask.refused("select pg_sleep(600)")
    ask("select pg_advisory_lock(77)")
    url = (ask.config.postgres_url or "").replace(f"&user={READER}", "")
    with psycopg.connect(url) as connection:
        held = connection.execute("select count(*) from pg_locks where locktype = 'advisory'")
        assert held.fetchall() == [(0,)]


@pytest.mark.postgres
def test_a_user_who_may_do_more_gets_no_queries(
    asked: Callable[[str], Asked], pg_server: PgServer
) -> None:
    ask = asked("postgres")
    url = (ask.config.postgres_url or "").replace(f"&user={READER}", "")
    for why, grant, revoke in (
        ("superuser", "alter role {0} superuser", "alter role {0} nosuperuser"),
        ("make roles", "alter role {0} createrole", "alter role {0} nocreaterole"),
        (
            "pg_read_server_files",
            "grant pg_read_server_files to {0}",
            "revoke pg_read_server_files from {0}",
        ),
        (
            "may read release.",
            "grant usage on schema release to {0}; "
            "grant select on all tables in schema release to {0}",
            "revoke all on schema release from {0}; "
            "revoke all on all tables in schema release from {0}",
        ),
        (
            "may change canonical.products",
            "grant delete on canonical.products to {0}",
            "revoke delete on canonical.products from {0}",
        ),
        (
            "pg_execute_server_program",
            "create role {0}_more noinherit; grant {0}_more to {0}; "
            "grant pg_execute_server_program to {0}_more",
            "drop role {0}_more",
        ),
    ):
        run(url, grant.format(READER))
        try:
            said = ask.refused("select 1 as a")
            assert "Queries are off" in said
            assert why in said
            # What asks for no more than rows goes on.
            rows = ask.server.answer("read_table", {"table": "canonical.products", "limit": 1})
            assert len(rows["rows"]) == 1
        finally:
            run(url, revoke.format(READER))
    assert ask("select 1 as a") == [[1]]
