"""What must hold for every landing history, whatever it holds and however it is built."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.landing import Landing
from tests.conftest import PgServer
from tests.support.builds import Warehouse, differences, empty_database
from tests.support.examples import examples
from tests.support.histories import START, History, Landed, land
from tests.support.seasons import SEASONS, Season

# A build takes seconds: few examples, each a whole history. Shrinking would take hours;
# the failing seed and the rows that differ say what to look at.
FEW = settings(
    max_examples=examples(1),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def new_warehouse(folder: str, name: str = "first", **more: Any) -> Warehouse:
    """A warehouse of its own over the landing that all warehouses in `folder` share."""
    home = Path(folder) / name
    home.mkdir()
    landing = Landing(str(Path(folder) / "landing"))
    landing.prepare()
    return Warehouse(home, landing, **more)


def assert_ledger_balances(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        f"select * from {warehouse.schema('marts')}.row_ledger"
        " where balance <> 0 or read <> landed + rejected"
    )
    assert rows == []


def early_post(landing: Landing) -> datetime:
    """Land a post before it is published; returns when it counts, two days later."""
    history, later = History(1), START + timedelta(days=22)
    post = history.published_posts() | {"platform": "tiktok", "external_post_id": "x1"}
    post |= {"published_at": later + timedelta(days=1), "created_at": START}
    at = START + timedelta(days=20, hours=1)
    land(landing, Landed("files", "published_posts", [post], [START], at))
    return later


@FEW
@given(seed=st.integers(0, 2**32), start=st.integers(33, 38))
def test_builds_that_run_only_what_moved_equal_one_full_build(seed: int, start: int) -> None:
    loads = History(seed).loads(45)
    with tempfile.TemporaryDirectory() as folder:
        warehouse = new_warehouse(folder)
        ran = []
        for number, load in enumerate(loads):
            land(warehouse.landing, load)
            if number >= start and (number - start) % 2 == 0:
                warehouse.build()
                ran.append(warehouse.ran)
        later = early_post(warehouse.landing)
        warehouse.build()
        # Nothing lands, and a source was asked in vain: only the time moves on.
        for at in (later - timedelta(hours=1), later, later + timedelta(days=3)):
            warehouse.landing.heartbeat("supabase", {}, loaded_at=at)
            warehouse.build()
            ran.append(warehouse.ran)
        full = new_warehouse(folder, "full")
        full.build()
        assert differences(warehouse.result(), full.result()) == []
    early, due, late = ran[-3:]
    assert "int_published_posts" not in early | late
    assert {"int_published_posts", "int_performance_metrics"} <= due
    assert "int_products" not in due
    assert max(map(len, ran[1:-3])) < len(ran[0]), "no build left anything out"


@FEW
@given(seed=st.integers(0, 2**32), cut=st.integers(10, 40), models=st.integers(1, 4))
def test_a_build_that_stopped_in_the_middle_loses_no_change(
    seed: int, cut: int, models: int
) -> None:
    loads = History(seed).loads(45)
    stop_after = [
        "int_products int_experiments",
        "int_scripts int_video_assets int_published_posts",
        "int_published_posts int_performance_metrics",
        "int_performance_metrics+1",
    ][models - 1]
    with tempfile.TemporaryDirectory() as folder:
        warehouse = new_warehouse(folder)
        for load in loads[:cut]:
            land(warehouse.landing, load)
        warehouse.build()
        for load in loads[cut:]:
            land(warehouse.landing, load)
        warehouse.build(
            "--select", *stop_after.split(), "--exclude-resource-type", "test", "unit_test"
        )
        warehouse.build()
        full = new_warehouse(folder, "full")
        full.build()
        assert differences(warehouse.result(), full.result()) == []


def assert_nothing_is_empty(warehouse: Warehouse) -> None:
    """Every mart has rows, and a value in each column: equal means something then."""
    empty = []
    for table, columns in warehouse.tables("marts").items():
        counts = ", ".join(f'count("{column}") as "{column}"' for column in columns)
        [found] = warehouse.query(f"select {counts} from {warehouse.schema('marts')}.{table}")
        empty += [f"{table}.{column}" for column in columns if not found[column]]
    assert empty == []


@pytest.mark.parametrize("seed", SEASONS)
def test_a_season_built_step_by_step_equals_one_full_build(seed: int) -> None:
    """What a team changes later reaches every model that holds what it was made from."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = new_warehouse(folder)
        for step in Season(seed).steps:
            step.land(warehouse.landing)
            warehouse.build()
        assert_ledger_balances(warehouse)
        full = new_warehouse(folder, "full")
        full.build()
        assert_nothing_is_empty(full)
        assert differences(warehouse.result(), full.result()) == []


@pytest.fixture(scope="module")
def shared_database(pg_server: PgServer) -> Iterator[str]:
    url = pg_server.create_database("agree")
    yield url
    pg_server.drop_database(url)


@pytest.mark.postgres
@FEW
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(5, 40), min_size=1, max_size=2))
def test_incremental_histories_on_both_engines_equal_one_full_build(
    shared_database: str, seed: int, cuts: list[int]
) -> None:
    loads = History(seed).loads(45)
    empty_database(shared_database)
    with tempfile.TemporaryDirectory() as folder:
        duckdb = new_warehouse(folder)
        postgres = new_warehouse(folder, "second", target="postgres", postgres_url=shared_database)
        for number, load in enumerate(loads):
            land(duckdb.landing, load)
            if number in cuts:
                duckdb.build()
            # A build takes twice as long there: one increment.
            if number == cuts[0]:
                postgres.build()
        full = new_warehouse(folder, "full")
        full.build()
        for warehouse in (duckdb, postgres):
            warehouse.build()
            assert_ledger_balances(warehouse)
            assert differences(warehouse.result(), full.result()) == []


@pytest.mark.postgres
@pytest.mark.parametrize("seed", SEASONS)
def test_a_season_on_postgres_equals_one_full_build_on_duckdb(
    shared_database: str, seed: int
) -> None:
    empty_database(shared_database)
    with tempfile.TemporaryDirectory() as folder:
        duckdb = new_warehouse(folder)
        postgres = new_warehouse(folder, "second", target="postgres", postgres_url=shared_database)
        first, *later = Season(seed).steps
        # A build takes twice as long as on DuckDB: all that comes later in two of them.
        for steps in ([first], later[:2], later[2:]):
            for step in steps:
                step.land(duckdb.landing)
            postgres.build()
        duckdb.build()
        assert differences(duckdb.result(), postgres.result()) == []
