"""The whole simulated world gives the same rows on both engines, and sane plans on Postgres.

Random histories (tests/property) find what is rare; only a world with enough posts,
tags and events fills every statistic of the marts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal
from psycopg.conninfo import conninfo_to_dict

from common.pgconnect import own_sql
from loaders.inbox.place import Place
from repositories.duckdb_reader import DuckReader
from repositories.marts import MARTS, Marts
from repositories.postgres_reader import PostgresReader
from repositories.session import Session
from repositories.table import Table
from repositories.warehouse import MODELS
from tests.conftest import PgServer
from tests.support.builds import Warehouse, differences
from tests.support.plans import described, log_plans, work
from warehouse.release.pg_public import make_schema
from warehouse.release.pg_roles import make_roles
from warehouse.release.session import connect

pytestmark = pytest.mark.postgres

#: Marts that the simulated world must not leave empty, or comparing them proves nothing.
MAY_BE_EMPTY: set[str] = set()
#: Characters of a model's plan with all of its expressions: several times the largest.
LONGEST_PLAN = 1_000_000
#: Pairs of rows that joins may look at for each row a model reads, where that is more than 20:
#: a day of a hashtag meets the 28 days before it, some of them thrice; a matrix of at most 30 tags
#: for each platform and kind is swept tag by tag, 27,000 pairs each, however many posts there are.
PAIRS_OF_A_ROW = {"hashtag_trends": 150, "int_adjusted_tags": 400}
#: Bytes a hash table may be expected to have in this small world. A join that is thought to
#: multiply rows lays out thousands of temporary files before the first one comes.
LARGEST_HASH = 500_000_000


@pytest.fixture(scope="module", params=["pg_server", "oldest_pg_server"])
def postgres(
    request: pytest.FixtureRequest, demo: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """The world on the newest Postgres of the tests, and on the oldest that is here, where it is
    built by a role that may do no more than that."""
    server: PgServer = request.getfixturevalue(request.param)
    url = builder = server.create_database("world")
    if request.param == "oldest_pg_server":
        log_plans(url)
        with connect(url) as connection:
            roles = make_roles(connection, prefix="world_").roles
            connection.execute(own_sql(f"alter role {roles['builder']} login"))
        builder = server.url(str(conninfo_to_dict(url)["dbname"]), roles["builder"])
    home = tmp_path_factory.mktemp("world")
    warehouse = Warehouse(home, demo.landing, target="postgres", postgres_url=builder)
    warehouse.build()
    yield warehouse
    server.drop_database(url)


@pytest.fixture(scope="module")
def world(demo: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the world as DuckDB has them."""
    return demo.result()


def test_both_engines_give_the_same_world(
    world: dict[str, list[tuple[Any, ...]]], postgres: Warehouse
) -> None:
    left, right = world, postgres.result()
    empty = {table for table, rows in left.items() if not rows}
    assert {table for table in empty if table.startswith("marts.")} <= MAY_BE_EMPTY
    assert differences(left, right) == []


def test_programs_read_the_same_rows_from_both(demo: Warehouse, postgres: Warehouse) -> None:
    """Every table as models and every mart as a frame, in the order of their keys."""
    place = Place(demo.landing.storage)
    with connect(postgres.postgres_url, autocommit=True) as connection:
        for schema in ("canonical", "marts"):
            make_schema(connection, schema)
            for name in postgres.tables(schema):
                view = f"{schema}.{name} as select * from build_{schema}.{name}"
                connection.execute(own_sql(f"create view {view}"))
    duck = Session("duckdb", lambda: DuckReader(demo.database))
    pg = Session("postgres", lambda: PostgresReader(postgres.postgres_url))
    for model in MODELS:
        rows = Table(duck, place, model).find()
        assert rows, model.TABLE
        assert rows == Table(pg, place, model).find()
    for name in MARTS:
        left, right = (getattr(Marts(session), name).find() for session in (duck, pg))
        documents = [c for c, kind in getattr(Marts(duck), name).relation.columns.items()
                     if kind == "json"]  # fmt: skip
        assert not left.is_empty()
        assert_frame_equal(left.drop(documents), right.drop(documents), rel_tol=1e-8, abs_tol=1e-12)
    duck.close()
    pg.close()


def test_no_plan_writes_an_expression_out_at_each_of_its_uses(postgres: Warehouse) -> None:
    # Steps that are not computed once are put into each other: uses of uses multiply.
    compiled = (postgres.home / "target" / "compiled").rglob("models/*/**/*.sql")
    with connect(postgres.postgres_url, autocommit=True) as connection:
        plans = {
            path.stem: described(connection, path.read_text("utf-8"))
            for path in compiled
            if path.parent.suffix != ".yml"
        }
    assert len(plans) > 50
    assert {name: len(plan) for name, plan in plans.items() if len(plan) > LONGEST_PLAN} == {}


def test_no_plan_compares_all_rows_with_all(
    postgres: Warehouse, request: pytest.FixtureRequest
) -> None:
    if "oldest" not in request.node.name:
        pytest.skip("the server of the wheel has no auto_explain")
    server: PgServer = request.getfixturevalue("oldest_pg_server")
    done = work((Path(server.socket_dir) / "log").read_text("utf-8", "replace"))
    assert {"hashtag_trends", "video_trends", "workflow_runs"} <= done.keys()
    too_many = {
        model: one
        for model, one in done.items()
        if one.joined > PAIRS_OF_A_ROW.get(model, 20) * one.scanned + 300_000
    }
    assert too_many == {}
    assert {model: one for model, one in done.items() if one.hashed > LARGEST_HASH} == {}
