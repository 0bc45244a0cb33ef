"""The warehouse reaches, row for row, the verdicts the simulator planted.

Two independent accounts of the same rules: the simulator says of each row it makes what
must become of it, the models decide from the landed rows alone. Built in two steps, so
that late parents and corrected versions arrive incrementally.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from loaders.demo import load_demo
from loaders.landing import Landing
from tests.support.parsed import lend
from warehouse.build import build
from warehouse.settings import settings

VERDICTS = ["read", "landed", "rejected", "accepted", "duplicate", "superseded", "quarantined"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACE_HOME", str(folder))
        patch.delenv("ACE_LANDING", raising=False)
        settings.cache_clear()
        lend(folder)
        for batches in ([0, 1, 2], [3, 4]):
            load_demo(
                Landing(folder / "landing"),
                posts=400,
                days=15,
                batches=batches,
                real=False,
                truth_dir=folder / "truth",
            )
            build("duckdb", release=False, say=lambda _: None)
        yield folder
    settings.cache_clear()


def query(home: Path, sql: str) -> pl.DataFrame:
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as connection:
        found: pl.DataFrame = connection.sql(sql).pl()
        return found


def test_the_ledger_is_the_stated_one(home: Path) -> None:
    stated = pl.read_parquet(home / "truth" / "truth_dirt.parquet")
    stated = stated.group_by("table_name").agg(pl.col(VERDICTS).sum()).sort("table_name")
    columns = ", ".join(VERDICTS)
    ledger = query(
        home, f"select table_name, {columns} from marts.row_ledger where source = 'demo'"
    )
    assert stated.height == 12
    assert ledger.sort("table_name").rows() == stated.rows()


def test_rows_are_held_back_for_the_stated_reasons(home: Path) -> None:
    stated = pl.read_parquet(home / "truth" / "truth_reasons.parquet")
    stated = stated.filter(pl.col("verdict") == "quarantined")
    held = query(
        home,
        "select table_name, array_to_string(reasons, ',') as reason, count(*) as n"
        " from quarantine.rows group by all",
    )
    expected = stated.select("table_name", "reason", "rows")
    assert sorted(held.rows()) == sorted(expected.rows())


def test_the_truth_is_about_the_posts_that_are_there(home: Path) -> None:
    posts = query(home, "select post_id::varchar as post_id from canonical.published_posts")
    truth = pl.read_parquet(home / "truth" / "truth_posts.parquet")
    assert sorted(posts["post_id"]) == sorted(truth["post_id"])
