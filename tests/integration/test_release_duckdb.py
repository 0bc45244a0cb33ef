"""Releases on DuckDB: complete, immutable, switched in one step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from common.errors import AceError
from repositories.connection import open_release
from repositories.release_files import current_release, release_files
from tests.support import small_warehouse
from warehouse.release.duckdb import DuckStore


def _store(home: Path, keep: int = 5) -> DuckStore:
    return DuckStore(home, home / "warehouse.duckdb", keep)


def _release(home: Path, build: int = 1, products: int = 2, keep: int = 5) -> DuckStore:
    small_warehouse.make(home / "warehouse.duckdb", products, build=build)
    store = _store(home, keep)
    store.record_passed(small_warehouse.passed(build))
    store.publish()
    return store


def test_a_release_holds_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    _release(tmp_path)
    with open_release(tmp_path) as reader:
        tables = reader.tables()
        (release,) = reader.query("select * from meta.release").dicts()
        loads = reader.query("select * from meta.loads").dicts()
        columns = reader.query("select * from meta.columns where \"table\" = 'products'").dicts()
        counts = reader.query('select "schema", "table", rows from meta.row_counts').rows
        documents = reader.query(
            "select table_schema, table_name, description, grain from meta.tables"
        ).rows
        tests = reader.query("select name, status from meta.tests").rows
    assert not [name for name in tables if name.startswith(("raw.", "staging."))]
    assert {name for name in tables if name.startswith("meta.")} == {
        "meta.release", "meta.columns", "meta.loads", "meta.row_counts", "meta.runs",
        "meta.tables", "meta.tests",
    }  # fmt: skip
    assert release["release"] == 1
    assert release["as_of"] == "2026-11-20T12:00:00Z"
    assert release["engine"] == "duckdb"
    assert release["git_revision"] == "abc"
    assert set(loads[0]) == {
        "load_id", "source", "resource", "account", "landed_at", "read", "accepted", "rejected",
    }  # fmt: skip
    assert ("canonical", "products", 2) in counts
    assert [c["column"] for c in columns if c["schema"] == "canonical"] == [
        "product_id", "name", "price", "meta", "tags",
    ]  # fmt: skip
    assert columns[1]["description"] == "What shoppers call it; isn't a key."
    assert columns[1]["table_name"] == columns[1]["table"]
    assert columns[1]["column_name"] == columns[1]["column"]
    assert documents == [("canonical", "products", "What is sold.", "a product")]
    assert tests == [("unique_products", "pass")]


def test_views_work_under_any_file_name(tmp_path: Path) -> None:
    _release(tmp_path)
    other = tmp_path / "sent by mail.duckdb"
    other.write_bytes((tmp_path / "current.duckdb").read_bytes())
    with duckdb.connect(str(other), read_only=True) as connection:
        assert connection.execute("select count(*) from canonical.products").fetchone() == (2,)
        # A view on staging became a table: landing may be gone.
        assert connection.execute("select count(*) from quarantine.rows").fetchone() == (1,)


def test_views_of_a_release_need_nothing_it_has_not(tmp_path: Path) -> None:
    small_warehouse.make(tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("""
            create view intermediate.unread as from staging.stg_files__products;
            create view intermediate.landed as from staging.stg_files__products;
            create view intermediate.accepted as from intermediate.int_products;
            create view intermediate.twice as from intermediate.accepted;
            create view canonical.names as
                select name, landed.a from intermediate.twice, intermediate.landed;
            create view marts.of_products as
                select (7 - i)::varchar as post_id, md5((i % 3)::varchar)::uuid as product_id,
                    (select max(as_of) from meta.this_build) as as_of
                from range(7) as r(i);
        """)
    store = _store(tmp_path)
    store.record_passed(small_warehouse.passed())
    store.publish()
    with duckdb.connect(str(tmp_path / "current.duckdb"), read_only=True) as connection:
        kinds = dict(
            connection.execute(
                "select table_name, table_type from information_schema.tables "
                "where table_name in ('unread', 'landed', 'accepted', 'twice', 'names')"
            ).fetchall()
        )
        names = connection.execute("select count(*), max(a) from canonical.names").fetchone()
        products = connection.execute("select product_id from marts.of_products").fetchall()
    assert kinds == {"landed": "BASE TABLE", "accepted": "VIEW", "twice": "VIEW", "names": "VIEW"}
    assert names == (2, 1)
    # The rows of a product lie together: whoever asks for them reads little.
    assert len(products) == 7
    assert products == sorted(products)


def test_the_build_file_is_left_as_it_was(tmp_path: Path) -> None:
    _release(tmp_path)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        assert connection.execute("from staging.stg_files__products").fetchall() == [(1,)]
        assert connection.execute("select file from meta.loads").fetchone() is not None


def test_readers_keep_the_release_they_opened(tmp_path: Path) -> None:
    _release(tmp_path)
    with open_release(tmp_path) as reader:
        _release(tmp_path, build=2, products=9, keep=1)
        assert reader.query("select count(*) from canonical.products").rows == [(2,)]
    assert current_release(tmp_path) == 2
    with open_release(tmp_path) as reader:
        assert reader.query("select count(*) from canonical.products").rows == [(9,)]
    assert list(release_files(tmp_path)) == [2]


def test_old_releases_go_but_never_the_current_one(tmp_path: Path) -> None:
    for build in range(1, 4):
        store = _release(tmp_path, build=build, keep=2)
    assert list(release_files(tmp_path)) == [2, 3]
    store.rollback(2)
    assert current_release(tmp_path) == 2
    # Numbers are never used twice, and rolling back keeps what is newer.
    _release(tmp_path, build=4, keep=2)
    assert list(release_files(tmp_path)) == [3, 4]
    assert current_release(tmp_path) == 4


def test_release_files_cannot_be_written(tmp_path: Path) -> None:
    _release(tmp_path)
    mode = (tmp_path / "releases" / "1.duckdb").stat().st_mode
    assert mode & 0o222 == 0


def test_the_link_is_relative_so_the_folder_can_move(tmp_path: Path) -> None:
    _release(tmp_path / "a")
    os.rename(tmp_path / "a", tmp_path / "b")
    with open_release(tmp_path / "b") as reader:
        assert reader.query("select release from meta.release").rows == [(1,)]


def test_stopped_before_the_switch_is_finished_not_repeated(tmp_path: Path) -> None:
    store = _release(tmp_path)
    (tmp_path / "current.duckdb").unlink()
    assert store.current() is None
    assert store.publish().release == 1
    assert list(release_files(tmp_path)) == [1]
    assert current_release(tmp_path) == 1


def test_killed_while_copying_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _release(tmp_path)
    small_warehouse.make(tmp_path / "warehouse.duckdb", 5, build=2)
    store.record_passed(small_warehouse.passed(2))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("warehouse.release.duckdb._sync", full)
    with pytest.raises(AceError, match=r"Release 2 could not be written.*No space left"):
        store.publish()
    monkeypatch.undo()
    (tmp_path / "releases" / ".tmp-2-1.duckdb").write_text("left by a killed process")
    assert current_release(tmp_path) == 1
    assert store.publish().release == 2
    assert sorted(p.name for p in (tmp_path / "releases").iterdir()) == ["1.duckdb", "2.duckdb"]


def test_a_failed_build_is_not_taken_for_a_passed_one(tmp_path: Path) -> None:
    store = _release(tmp_path)
    assert store.unreleased() is not None
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("insert into meta.builds select 2, now(), now(), 'run-2'")
    assert store.unreleased() is None


def test_unknown_release_is_named(tmp_path: Path) -> None:
    store = _release(tmp_path)
    with pytest.raises(AceError, match=r"Release 7 is not kept .kept: 1."):
        store.rollback(7)


def test_a_build_file_held_by_another_program_names_it(tmp_path: Path) -> None:
    store = _release(tmp_path)
    hold = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True); "
        "time.sleep(99)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "warehouse.duckdb")], stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(AceError, match=f"is held open by process {other.pid}"):
            store.unreleased()
        # Readers are not concerned.
        with open_release(tmp_path) as reader:
            assert reader.query("select count(*) from canonical.products").rows == [(2,)]
    finally:
        other.kill()
        other.wait()


def test_a_damaged_build_file_says_what_to_do(tmp_path: Path) -> None:
    store = _release(tmp_path)
    (tmp_path / "warehouse.duckdb").write_text("damaged")
    with pytest.raises(AceError, match="move it away"):
        store.unreleased()
