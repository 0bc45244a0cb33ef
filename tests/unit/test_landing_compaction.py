"""Compaction: the same rows and loads, killed at any moment, beside any build."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loaders.landing import Landing, Load
from loaders.landing.compaction import compact, write_loads


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    landing = Landing(tmp_path)
    add(landing, 0, 10)
    return landing


def add(landing: Landing, start: int, count: int) -> None:
    for i in range(start, start + count):
        with landing.open_load("files", "performance_metrics", fingerprint=str(i)) as load:
            load.write(pl.DataFrame({"views": [i, i + 1]}))
            load.commit({"i": i})


def rows(landing: Landing) -> pl.DataFrame:
    """What a build reads: each load from the one file that holds it."""
    parts = [
        pl.read_parquet(load.file).filter(pl.col("_load_id") == load.load_id)
        for load in landing.loads()
    ]
    return pl.concat(parts).sort("_load_id", "_position")


def without_file(loads: list[Load]) -> list[Load]:
    return [load.located("") for load in loads]


def data_files(landing: Landing) -> list[str]:
    return landing.storage.names("files/performance_metrics")


def test_rows_and_loads_stay_the_same_in_one_file(landing: Landing) -> None:
    before, loads = rows(landing), landing.loads()
    (done,) = compact(landing, 8)
    assert (done.merged, done.deleted, done.waiting) == (10, 10, 0)
    assert len(data_files(landing)) == 1
    again = Landing(landing.url)
    assert_frame_equal(rows(again), before)
    assert without_file(again.loads()) == without_file(loads)
    assert again.find("3") is not None
    assert compact(again, 8) == []


def test_compacted_files_are_compacted_again(landing: Landing) -> None:
    compact(landing, 8)
    add(landing, 10, 7)
    before = rows(landing)
    compact(landing, 8)
    assert len(data_files(landing)) == 1
    assert_frame_equal(rows(Landing(landing.url)), before)


def test_few_files_are_left_alone(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    add(landing, 0, 3)
    assert compact(landing, 8) == []
    assert len(data_files(landing)) == 3


def test_a_running_build_keeps_its_files(landing: Landing) -> None:
    pinned = {load.file for load in landing.loads()}
    with landing.shared_lock():
        (done,) = compact(landing, 8)
        assert (done.deleted, done.waiting) == (0, 10)
        assert all(Path(file).exists() for file in pinned)
        # A build that starts now reads each load once, from the merged file.
        assert len({load.file for load in Landing(landing.url).loads()}) == 1
    (done,) = compact(landing, 8)
    assert (done.merged, done.deleted) == (0, 10)


@pytest.mark.parametrize("survivors", range(0, 10, 3))
def test_killed_while_deleting(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, survivors: int
) -> None:
    before = rows(landing)
    remove, removed = landing.storage.remove, 0

    def killed(name: str) -> None:
        nonlocal removed
        if removed == survivors:
            raise KeyboardInterrupt
        removed += 1
        remove(name)

    monkeypatch.setattr(landing.storage, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        compact(landing, 8)
    again = Landing(landing.url)
    assert_frame_equal(rows(again), before)
    compact(again, 8)
    assert len(data_files(again)) == 1
    assert_frame_equal(rows(Landing(landing.url)), before)


def test_killed_before_the_merged_file_is_there(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(landing)

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(landing.storage, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        compact(landing, 8)
    assert len(data_files(landing)) == 10
    assert not list(Path(landing.url).rglob(".tmp-*"))
    assert_frame_equal(rows(Landing(landing.url)), before)


def test_columns_that_old_files_lack_are_null(landing: Landing) -> None:
    import pyarrow.parquet as pq

    old = Path(landing.loads()[0].file)
    table = pq.read_table(old).drop_columns(["completion_rate"])
    metadata = pq.read_metadata(old).metadata[b"ace"]
    with pq.ParquetWriter(old, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({b"ace": metadata})
    landing = Landing(landing.url)
    compact(landing, 8)
    assert rows(landing)["completion_rate"].null_count() == 20


def test_listing_while_compaction_deletes(landing: Landing) -> None:
    """A file that vanishes between listing and reading is no error."""
    names = landing.storage.names
    stale = {"files/performance_metrics": names("files/performance_metrics")}
    compact(landing, 8)

    def once_stale(folder: str) -> list[str]:
        return stale.pop(folder, None) or names(folder)

    fresh = Landing(landing.url)
    fresh.storage.names = once_stale  # type: ignore[method-assign,assignment]
    assert len(fresh.loads()) == 10


def test_the_exclusive_lock_waits_for_readers(landing: Landing) -> None:
    def attempt(result: list[bool]) -> Callable[[], None]:
        def run() -> None:
            with landing.exclusive_lock(wait=False) as free:
                result.append(free)

        return run

    result: list[bool] = []
    with landing.shared_lock(), landing.shared_lock():
        thread = threading.Thread(target=attempt(result))
        thread.start()
        thread.join()
    attempt(result)()
    assert result == [False, True]


def test_a_load_in_two_merged_files_is_taken_from_one_of_them(tmp_path: Path) -> None:
    """Two zones put together, or a compaction beside another one's leftovers."""
    landing = Landing(tmp_path)
    add(landing, 0, 3)
    loads = landing.loads()
    single = landing.storage.names("files/performance_metrics")
    before = rows(landing)
    for number, pair in enumerate(((0, 1), (1, 2))):
        write_loads(
            landing,
            f"files/performance_metrics/merged-{number}.parquet",
            [(single[place], {loads[place].load_id}) for place in pair],
            [loads[place] for place in pair],
        )
    for name in single:
        landing.storage.remove(name)
    landing = Landing(tmp_path)
    assert_frame_equal(rows(landing), before)
    compact(landing, 2)
    (merged,) = data_files(landing)
    assert_frame_equal(rows(Landing(tmp_path)), before)
    assert pl.read_parquet(landing.storage.location(merged)).height == before.height


def test_a_load_in_two_files_is_that_of_the_larger_set(landing: Landing) -> None:
    with landing.shared_lock():
        compact(landing, 8)
    assert len(data_files(landing)) == 11
    assert len({load.file for load in Landing(landing.url).loads()}) == 1
