"""Point reads are timed through the reader, as agents ask."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks import reads
from benchmarks.measure import Skip
from common.settings import Settings
from repositories import Warehouse
from repositories.connection import open_release
from tests.support import small_warehouse

OF_A_POST = (
    reads.LookUp("post_performance", ("post_id",)),
    reads.LookUp("post_metric_history", ("post_id",)),
)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    small_warehouse.release(tmp_path)
    return tmp_path


def test_every_question_is_asked_of_keys_that_are_there(released: Path) -> None:
    without_keys = reads.LookUp("post_performance", ("product_id",))
    with open_release(released) as reader:
        assert len(OF_A_POST[1].keys(reader, 10)) == 3
        assert reader.query(OF_A_POST[1].sql, OF_A_POST[1].keys(reader, 1)[0]).rows
        found = reads.measure(reader, (*OF_A_POST, without_keys), times=5)
    assert {one: len(took) for one, took in found.items()} == dict.fromkeys(OF_A_POST, 5)
    assert all(clock > 0 for took in found.values() for clock, _ in took)


def test_programs_are_asked_the_same(released: Path) -> None:
    config = Settings(released, "duckdb", str(released / "landing"), None, None, {})
    with open_release(released) as reader, Warehouse.open(config=config) as warehouse:
        ask = reads.through(warehouse)
        (key, *_) = OF_A_POST[1].keys(reader, 1)
        frame = ask(OF_A_POST[1], key)
        assert isinstance(frame, pl.DataFrame)
        assert frame.height == len(reader.query(OF_A_POST[1].sql, key).rows) == 4
        found = reads.measure(reader, OF_A_POST, times=2, ask=ask)
    assert {len(took) for took in found.values()} == {2}


def test_a_build_that_fails_is_no_build_to_read_beside(released: Path) -> None:
    wrong = [sys.executable, "-c", "import time; time.sleep(0.3); raise SystemExit(3)"]
    with pytest.raises(Skip, match="ended with 3"):
        list(reads.lines(released, OF_A_POST, build=wrong))


def test_the_slowest_of_a_hundred_is_not_p99() -> None:
    assert reads.p99([*range(100), 1000]) == 99
    assert reads.p99([7]) == 7
