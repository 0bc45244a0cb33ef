"""``ace forget`` beyond landing, on both engines: what is deleted, built anew and pruned, and that
a request which failed in the middle stays open. Builds are made by hand here: a real one follows
the landing zone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from common.errors import AceError
from common.settings import Settings
from loaders.landing import Landing
from loaders.landing.forget import Subject
from loaders.landing.forgotten import unfinished
from tests.conftest import PgServer
from tests.support import small_postgres, small_warehouse
from warehouse import forget as forgetting
from warehouse.release.duckdb import DuckStore
from warehouse.release.stores import open_store

GONE = "7301234567890"
SUBJECT = Subject("tiktok", frozenset({GONE}))
FAILS = "fails"
ENGINES = ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]


def say(_: str) -> None:
    """Nobody listens."""


def make(config: Settings, number: int) -> None:
    """Release ``number``, whatever there is to release."""
    if config.target == "duckdb":
        small_warehouse.make(config.warehouse, build=number)
        store = DuckStore(config.home, config.warehouse, 5)
        store.record_passed(small_warehouse.passed(number))
        store.publish()
        return
    assert config.postgres_url is not None
    more = f"update build_intermediate.int_products set name = 'of {number}' where product_id = 1"
    small_postgres.build(config.postgres_url, number, more if number > 1 else "").publish()


@pytest.fixture(params=ENGINES)
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A warehouse with two releases, and a landed post to forget."""
    url = None
    if request.param == "postgres":
        server: PgServer = request.getfixturevalue("pg_server")
        url = server.create_database()
    config = Settings(tmp_path, request.param, str(tmp_path / "landing"), url, None, {})
    landing = Landing(config.landing)
    landing.prepare()
    with landing.open_load("files", "published_posts") as load:
        load.write(pl.DataFrame({"platform": ["tiktok"], "external_post_id": [GONE]}))
        load.commit()
    make(config, 1)
    make(config, 2)
    for name in ("quality/page.html", "quality/accepted.txt", "vectors/2/a.npy"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    if url is not None:
        with psycopg.connect(url) as connection:
            connection.execute("create schema raw")
            connection.execute("create table raw.files__published_posts as select 1 as a")
    yield config
    if url is not None:
        server.drop_database(url)


@pytest.fixture
def builds(config: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Engines that were built, by builds that only make a release, or fail once if told so."""
    done: list[str] = []

    def build(engine: str, **options: Any) -> None:
        assert options["full_refresh"]
        assert options["force"]
        assert not config.warehouse.exists()
        if done == [FAILS]:
            done.clear()
            raise AceError("1 test failed.", "Mend it.")
        done.append(engine)
        make(config, 3)

    monkeypatch.setattr(forgetting, "build", build)
    return done


def releases(config: Settings) -> list[int]:
    return [one.release for one in open_store(config, config.target).releases()]


def test_the_build_and_older_releases_go(config: Settings, builds: list[str]) -> None:
    looked = forgetting.look(config, SUBJECT, mentions=False)
    assert looked.releases == {config.target: [1, 2]}
    assert (builds, releases(config)) == ([], [2, 1])
    done = forgetting.forget(config, SUBJECT, mentions=False, say=say)
    assert (builds, releases(config)) == ([config.target], [3])
    assert {engine: sorted(gone) for engine, gone in done.releases.items()} == looked.releases
    assert done.erased.rows == looked.erased.rows == {"published_posts": 1}
    assert not unfinished(Landing(config.landing).storage)
    left = {file.name for file in config.home.glob("*/**/*") if "landing" not in str(file)}
    assert {"accepted.txt"} == left & {"accepted.txt", "page.html", "a.npy"}


@pytest.mark.postgres
@pytest.mark.parametrize("config", ["postgres"], indirect=True)
def test_no_row_of_an_older_release_stays_on_postgres(config: Settings, builds: list[str]) -> None:
    forgetting.forget(config, SUBJECT, mentions=False, say=say)
    assert config.postgres_url is not None
    with psycopg.connect(config.postgres_url) as connection:
        names = connection.execute(
            "select name from release.canonical__products where product_id = 1"
        ).fetchall()
        raw = connection.execute("select * from raw.files__published_posts").fetchall()
    assert (names, raw) == ([("of 3",)], [])


def test_a_request_stays_open_until_its_build_passes(config: Settings, builds: list[str]) -> None:
    builds.append(FAILS)
    with pytest.raises(AceError, match="1 test failed"):
        forgetting.forget(config, SUBJECT, mentions=False, say=say)
    assert releases(config) == [2, 1]
    looked = forgetting.look(config, SUBJECT, mentions=False)
    assert (looked.erased.is_nothing, looked.unfinished) == (True, True)
    forgetting.forget(config, SUBJECT, mentions=False, say=say)
    assert (builds, releases(config)) == ([config.target], [3])
    assert not unfinished(Landing(config.landing).storage)


def test_what_never_landed_builds_nothing_and_does_not_land_later(
    config: Settings, builds: list[str]
) -> None:
    done = forgetting.forget(config, Subject("tiktok", frozenset({"x"})), mentions=False, say=say)
    assert (done.erased.is_nothing, builds, releases(config)) == (True, [], [2, 1])
    assert not unfinished(Landing(config.landing).storage)
    with Landing(config.landing).open_load("files", "published_posts") as load:
        load.write(pl.DataFrame({"platform": ["tiktok"], "external_post_id": ["x"]}))
        assert load.commit().accepted == 0


def test_answers_that_wait_to_land_are_in_the_way(config: Settings, builds: list[str]) -> None:
    spool = config.home / "live" / "youtube" / "a.spool"
    spool.parent.mkdir(parents=True)
    spool.touch()
    with pytest.raises(AceError, match=r"waits in .*a\.spool"):
        forgetting.forget(config, SUBJECT, mentions=False, say=say)
    assert Landing(config.landing).loads()[0].accepted == 1
