"""SIGKILL at the worst moments: the next build gives what an undisturbed one would have.

The processes are real ones, with a landing history that holds about everything. Most
kill themselves at an exact moment, which a signal from outside cannot hit twice.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from loaders.landing import Landing
from repositories.connection import open_release
from repositories.release_files import release_files
from tests.conftest import PgServer
from tests.support.builds import Warehouse, differences
from tests.support.histories import History, land
from tests.support.killed import IN_A_MODEL, IN_A_RELEASE, dies, environment, run
from tests.support.parsed import lend
from warehouse.build import build
from warehouse.settings import PROJECT_ROOT, Settings

#: `ace build` whose lock's session an administrator ends, so that another build begins.
OVERTAKEN = """
import os, sys, threading
import psycopg
from warehouse import cli
from warehouse.build import dbt_run
def overtake():
    with psycopg.connect(os.environ["ACE_POSTGRES_URL"], autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_locks "
                           "where locktype = 'advisory' and classid = 1094927648")
        connection.execute("insert into build_meta.builds select max(build) + 1, now(), "
                           "max(as_of), 'another' from build_meta.builds")
begun, go_on = threading.Thread(target=overtake), dbt_run.Progress.event
def event(self, message):
    if message.info.name == "NodeStart" and message.data.node_info.node_name == "int_scripts":
        begun.start()
    go_on(self, message)
dbt_run.Progress.event = event
cli.main(["build"])
"""

#: `ace build` whose server looks every second whether it is still there.
LOOKED_AFTER = """
from common import pgsession
from warehouse import cli
pgsession.SETTINGS["client_connection_check_interval"] = "1s"
cli.main(["build"])
"""

#: Makes every `create index` of a model a query that lasts for ever.
TRAP = """
create function public.sleep_here() returns event_trigger language plpgsql as $$
begin perform pg_catalog.pg_sleep(1000); end $$;
create event trigger trap on ddl_command_start when tag in ('CREATE INDEX')
    execute function public.sleep_here();
"""


@dataclass
class World:
    """A landing zone that is filled in two parts, and where its warehouses are."""

    folder: Path
    landing: Landing
    late: list[Any]

    def settings(self, name: str, **more: Any) -> Settings:
        home = self.folder / name
        home.mkdir(exist_ok=True)
        values = {"target": "duckdb", "postgres_url": None} | more
        return Settings(home=home, landing=self.landing.url, supabase_dsn=None, extra={}, **values)

    def fresh(self) -> dict[str, list[tuple[Any, ...]]]:
        home = self.folder / "fresh"
        home.mkdir()
        warehouse = Warehouse(home, self.landing)
        warehouse.build()
        return warehouse.result()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("killed")
    landing = Landing(folder / "landing")
    landing.prepare()
    loads = History(20261122).loads(50)
    for load in loads[:25]:
        land(landing, load)
    return World(folder, landing, loads[25:])


def kill_dbt(config: Settings, words: str) -> None:
    """A `dbt build` by hand, killed from outside when it says these words."""
    command = [
        *(str(Path(sys.executable).parent / "dbt"), "build"),
        *("--profiles-dir", "profiles", "--no-use-colors"),
        # Where `ace build` left the parsed project.
        *("--target-path", str(config.home / "dbt" / "duckdb" / "target")),
        *("--log-path", str(config.home / "dbt" / "duckdb" / "logs")),
    ]
    with subprocess.Popen(
        command, env=environment(config), cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if words in line:
                process.kill()
                break
        assert process.wait(60) == -signal.SIGKILL, "".join(said)


def ledger(home: Path) -> list[tuple[Any, ...]]:
    with open_release(home) as reader:
        return reader.query("select * from marts.row_ledger order by 1, 2").rows


def released(config: Settings, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the current release holds, read from the file itself."""
    folder.mkdir()
    shutil.copy(config.home / "current.duckdb", folder / "warehouse.duckdb")
    (folder / "warehouse.duckdb").chmod(0o644)
    return Warehouse(folder, Landing(config.landing)).result()


def quiet(text: str) -> None:
    """Swallow progress."""


def test_a_killed_build_on_duckdb(world: World) -> None:
    config = world.settings("duckdb")
    build(say=quiet, note=quiet, config=config)
    before = ledger(config.home)
    for load in world.late:
        land(world.landing, load)

    def readers_see_release(number: int) -> None:
        assert list(release_files(config.home))[-1] == number
        with open_release(config.home) as reader:
            (row,) = reader.query("select release from meta.release").rows
        assert row == (1,)
        assert ledger(config.home) == before

    kill_dbt(config, "START sql incremental model intermediate.int_published_posts ")
    readers_see_release(1)
    dies(config, IN_A_MODEL, "int_performance_metrics", "insert into")
    readers_see_release(1)
    # The file of the release is half made ...
    store = "warehouse.release.duckdb"
    dies(config, IN_A_RELEASE, store, "-", "_verify", "1")
    assert list((config.home / "releases").glob(".tmp-*"))
    readers_see_release(1)
    # ... or whole, but nobody was pointed to it. What is built is not built again.
    said = dies(config, IN_A_RELEASE, store, "DuckStore", "_point_to", "1")
    assert "what is missing is the release" in said
    readers_see_release(2)

    result = build(say=quiet, note=quiet, config=config)
    assert result.release is not None
    assert result.release.release == 2
    assert list(release_files(config.home)) == [1, 2]
    assert not list((config.home / "releases").glob(".tmp-*"))
    assert differences(released(config, world.folder / "copy"), world.fresh()) == []


def kill_in_a_query(config: Settings, url: str) -> None:
    """An `ace build` killed while the server works for it: its sessions end, too."""
    builders = (
        "select coalesce(wait_event, '') from pg_stat_activity "
        "where application_name like 'ace build, process%'"
    )
    with (
        psycopg.connect(url, autocommit=True) as connection,
        (config.home / "said").open("w") as said,
    ):
        connection.execute(TRAP)
        process = subprocess.Popen(
            [sys.executable, "-c", LOOKED_AFTER],
            env=environment(config),
            cwd=PROJECT_ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            for _ in range(600):
                time.sleep(0.2)
                if ("PgSleep",) in connection.execute(builders).fetchall():
                    break
                assert process.poll() is None, Path(said.name).read_text()
            else:
                pytest.fail("The build never met its trap.")
        finally:
            process.kill()
            process.wait()
        for _ in range(100):
            time.sleep(0.2)
            left = connection.execute(builders).fetchall()
            if not left:
                break
        assert left == []
        connection.execute("drop event trigger trap")


@pytest.mark.postgres
def test_a_killed_build_on_postgres(world: World, pg_server: PgServer) -> None:
    url = pg_server.create_database("killed")
    try:
        config = world.settings("postgres", target="postgres", postgres_url=url)
        warehouse = Warehouse(config.home, world.landing, target="postgres", postgres_url=url)
        lend(config.home, str(conninfo_to_dict(url)["dbname"]), "postgres")
        kill_in_a_query(config, url)
        done = run(config, OVERTAKEN)
        assert done.returncode == 1
        assert done.stderr.startswith("ace: Another build began while this one ran"), done.stderr
        assert "Nothing was released." in done.stderr
        # It stopped at its next models, instead of writing into the other's tables.
        assert warehouse.query("select * from pg_tables where schemaname = 'build_marts'") == []
        dies(config, IN_A_RELEASE, "warehouse.release.postgres", "-", "publish_relation", "9")
        visible = "select * from information_schema.tables where table_schema = 'canonical'"
        assert warehouse.query(visible) == []
        result = build(say=quiet, note=quiet, config=config)
        assert (result.built, result.released) == (False, True)
        built = warehouse.result()
        home = world.folder / "other"
        home.mkdir()
        other = Warehouse(home, world.landing)
        other.build()
        assert differences(built, other.result()) == []
        for name, rows in built.items():
            schema, _, table = name.rpartition(".")
            if schema:
                count = warehouse.query(f"select count(*) as n from {schema}.{table}")
                assert count == [{"n": len(rows)}], name
    finally:
        pg_server.drop_database(url)
