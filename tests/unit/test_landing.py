"""The landing zone: one atomic commit, complete metadata, nothing half-written."""

from __future__ import annotations

import errno
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from common.errors import AceError, UsageError
from loaders.landing import Landing, Load, Rejected, new_load_id, record_hashes
from loaders.landing.compaction import compact
from loaders.schema import SOURCES, polars_schema

AT = datetime(2026, 11, 22, 17, 2, 9, 123456, tzinfo=UTC)
ROWS = pl.DataFrame({"post_id": ["a", "b"], "views": [1, None]})


@pytest.fixture(params=["path", "memory"])
def landing(request: pytest.FixtureRequest, tmp_path: Path) -> Landing:
    if request.param == "path":
        return Landing(tmp_path / "landing")
    return Landing(f"memory://{uuid.uuid4().hex}/landing")


def land(landing: Landing, rows: pl.DataFrame = ROWS, **options: object) -> Load:
    with landing.open_load("files", "performance_metrics", **options) as load:  # type: ignore[arg-type]
        load.write(rows)
        return load.commit()


def files_below(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and "_schema" not in p.name)


def test_a_load_is_read_back_as_it_was_committed(landing: Landing) -> None:
    with landing.open_load(
        "files", "performance_metrics", account="a1", input="x.csv", fingerprint="f", loaded_at=AT
    ) as load:
        load.write(ROWS)
        load.reject([Rejected(2, b"\xffraw", "views: 'x' is not a whole number", "views")])
        committed = load.commit({"page": 2})
    assert Landing(landing.url).loads() == [committed]
    assert (committed.read, committed.accepted, committed.rejected) == (3, 2, 1)
    assert (committed.account, committed.input, committed.cursor) == ("a1", "x.csv", {"page": 2})
    assert committed.landed_at == committed.known_at_max == AT
    assert landing.find("f") == committed
    assert landing.find("g") is None
    (rejected,) = landing.rejected()
    assert (rejected.position, rejected.raw, rejected.field) == (2, b"\xffraw", "views")
    assert rejected.load_id == committed.load_id


def test_rows_carry_every_column_and_their_bookkeeping(tmp_path: Path) -> None:
    load = land(Landing(tmp_path), loaded_at=AT)
    rows = pl.read_parquet(load.file)
    assert dict(rows.schema) == polars_schema("performance_metrics")
    assert rows["_position"].to_list() == [0, 1]
    assert rows["_load_id"].unique().to_list() == [load.load_id]
    assert rows["views"].to_list() == [1, None]
    assert rows["_extra"].null_count() == 2


def test_known_at_is_never_later_than_landing(tmp_path: Path) -> None:
    times = [AT + timedelta(days=1), AT - timedelta(days=1)]
    rows = ROWS.with_columns(pl.Series("_extracted_at", times))
    load = land(Landing(tmp_path), rows, loaded_at=AT)
    assert pl.read_parquet(load.file)["_extracted_at"].to_list() == [AT, times[1]]
    assert (load.known_at_min, load.known_at_max) == (times[1], AT)


def test_positions_run_on_over_rejected_records(tmp_path: Path) -> None:
    with Landing(tmp_path).open_load("files", "performance_metrics") as load:
        load.write(ROWS)
        load.reject([Rejected(2, b"", "bad")])
        load.write(ROWS)
        done = load.commit()
    assert pl.read_parquet(done.file)["_position"].to_list() == [0, 1, 3, 4]


def test_many_writes_become_row_groups_of_one_file(tmp_path: Path) -> None:
    many = pl.DataFrame({"views": range(130_000)})
    with Landing(tmp_path).open_load("files", "performance_metrics") as load:
        for _ in range(3):
            load.write(many)
        done = load.commit()
    assert done.accepted == 390_000
    assert pq.ParquetFile(done.file).num_row_groups > 2
    assert pl.read_parquet(done.file)["_position"].to_list() == list(range(390_000))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_without_commit_nothing_is_kept(tmp_path: Path, stop: type[BaseException]) -> None:
    def stopped() -> None:
        with Landing(tmp_path).open_load("files", "performance_metrics") as load:
            load.write(pl.DataFrame({"views": range(200_000)}))
            load.reject([Rejected(200_000, b"", "bad")])
            raise stop

    with pytest.raises(stop):
        stopped()
    assert Landing(tmp_path).loads() == []
    assert files_below(tmp_path) == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    landing = Landing(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(AceError, match=r"disk .* is full"):
            land(landing)
    assert files_below(tmp_path) == []
    assert land(landing).accepted == 2


def test_a_crash_before_the_rename_leaves_no_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = Landing(tmp_path)
    real = landing.storage.commit

    def killed(temporary: Path, name: str) -> str:
        if name.startswith("_rejected"):
            return real(temporary, name)
        raise KeyboardInterrupt

    monkeypatch.setattr(landing.storage, "commit", killed)
    load = landing.open_load("files", "products")
    load.reject([Rejected(0, b"x", "bad")])
    with pytest.raises(KeyboardInterrupt), load:
        load.commit()
    # Rejected records without their load do not count.
    assert Landing(tmp_path).loads() == []
    assert Landing(tmp_path).rejected() == []


def test_a_file_where_the_folder_belongs(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("x")
    with pytest.raises(AceError, match="a file stands where a folder belongs"):
        land(Landing(tmp_path / "landing"))


def test_a_foreign_file_is_named(tmp_path: Path) -> None:
    load = land(Landing(tmp_path))
    Path(load.file).with_name("broken.parquet").write_bytes(b"PAR1 nonsense")
    (left_out,) = Landing(tmp_path).left_out()
    assert "broken.parquet is unreadable" in str(left_out)


def test_unfinished_and_schema_files_do_not_count(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.prepare()
    (tmp_path / "files/products/.tmp-1-x.parquet").write_bytes(b"half")
    assert landing.loads() == []


def test_prepare_makes_every_source_buildable_and_heals_old_schemas(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.prepare()
    for source, resources in SOURCES.items():
        for resource in resources:
            empty = pl.read_parquet(landing.schema_file(source, resource))
            assert empty.is_empty()
            assert dict(empty.schema) == polars_schema(resource)
    old = Path(landing.schema_file("files", "products"))
    pl.DataFrame(schema={"product_id": pl.String}).write_parquet(old)
    landing.prepare()
    assert dict(pl.read_parquet(old).schema) == polars_schema("products")


def test_a_source_lands_only_its_resources(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not land 'products'"):
        Landing(tmp_path).open_load("tiktok_research", "products")


def test_heartbeats_move_cursors_on_without_being_loads(landing: Landing) -> None:
    with landing.open_load("supabase", "products", loaded_at=AT) as load:
        load.commit({"snapshot": 1})
    later = AT + timedelta(hours=1)
    landing.heartbeat("supabase", {"products": {"snapshot": 2}}, loaded_at=later)
    assert [beat.landed_at for beat in landing.heartbeats()] == [later]
    assert len(landing.loads()) == 1
    assert landing.cursor("supabase", "products") == {"snapshot": 2}
    assert landing.cursor("supabase", "scripts") is None


def test_a_cursor_is_of_one_account(landing: Landing) -> None:
    for account, at in (("a", 1), ("b", 2), (None, 3)):
        with landing.open_load(
            "supabase", "products", account=account, loaded_at=AT + timedelta(hours=at)
        ) as load:
            load.commit({"snapshot": at})
    # A later load that has none leaves the cursor where it was.
    with landing.open_load(
        "supabase", "products", account="a", loaded_at=AT + timedelta(hours=4)
    ) as load:
        load.commit()
    found = [landing.cursor("supabase", "products", account) for account in ("a", "b", None, "c")]
    assert found == [{"snapshot": 1}, {"snapshot": 2}, {"snapshot": 3}, None]


def test_load_ids_sort_by_creation() -> None:
    ids = [new_load_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {uuid.UUID(one).version for one in ids} == {7}


def test_the_hash_is_of_the_documented_text_and_of_nothing_else() -> None:
    """A changed hash makes every record of every source look changed."""
    import hashlib

    empty = pl.DataFrame(schema=polars_schema("raw_videos"))
    row = {"external_id": "7|1", "caption": "a\\b,c", "hashtags": ["x,y", "z"], "view_count": 5,
           "collected_at": AT, "_position": 9, "_extra": "{}"}  # fmt: skip
    plain = {"external_id": "8"}
    rows = pl.concat([empty, pl.DataFrame([row, plain], schema=empty.schema)])
    micros = int(AT.timestamp()) * 1_000_000 + 123456
    text = rf"\N|7\|1|\N|a\\b\,c|[x\,y,z]|\N|5|\N|\N|\N|{micros}|\N|\N"
    hashes = record_hashes("raw_videos", rows)
    assert hashes[0] == hashlib.md5(text.encode()).hexdigest()
    # Whether other rows fill a column changes nothing.
    assert hashes[1] == record_hashes("raw_videos", rows[1:])[0]


def test_columns_that_came_later_change_the_hash_of_those_that_have_them_only() -> None:
    import hashlib

    empty = pl.DataFrame(schema=polars_schema("performance_metrics"))
    plain = {"external_post_id": "7", "views": 5}
    rows = pl.concat(
        [
            empty,
            pl.DataFrame([plain, plain | {"reach": 5}, plain | {"saves": 5}], schema=empty.schema),
        ]
    )
    before = r"\N|\N|5|\N|\N|\N|\N|\N|7|\N|\N|\N|\N|\N|\N"
    expected = [before, f"{before}|reach=5", f"{before}|saves=5"]
    assert record_hashes("performance_metrics", rows).to_list() == [
        hashlib.md5(text.encode()).hexdigest() for text in expected
    ]
    # Whether other rows have them changes nothing.
    assert record_hashes("performance_metrics", rows[:1])[0] == (
        hashlib.md5(before.encode()).hexdigest()
    )


def test_doubles_are_hashed_with_17_digits() -> None:
    import hashlib

    frame = pl.DataFrame({"importance": [0.1, -0.0, 1e300]})
    rows = pl.concat([pl.DataFrame(schema=polars_schema("agent_notes")), frame], how="diagonal")
    expected = [rf"\N|\N|\N|\N|{value:.17g}|\N|\N" for value in (0.1, -0.0, 1e300)]
    assert record_hashes("agent_notes", rows).to_list() == [
        hashlib.md5(text.encode()).hexdigest() for text in expected
    ]


def test_what_a_killed_load_left_is_deleted_after_a_day(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.prepare()
    folder = tmp_path / "files" / "products"
    old, young = folder / ".tmp-1-a.parquet", folder / ".tmp-2-b.parquet"
    for path in (old, young):
        path.write_bytes(b"half")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    landing.prepare()
    assert not old.exists()
    assert young.exists()
    os.utime(young, (yesterday, yesterday))
    compact(landing)
    assert not young.exists()


def test_a_load_that_is_being_written_is_not_listed(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    with landing.open_load("files", "performance_metrics") as load:
        load.write(pl.DataFrame({"views": range(130_000)}))
        load.reject([Rejected(130_000, b"x", "bad")])
        load.write(pl.DataFrame({"views": range(130_000)}))
        load._drain(0)
        # A first row group is on the disk, under a name that no reader takes for a load.
        assert files_below(tmp_path / "files") != []
        for folder in ("files/performance_metrics", "_rejected/files/performance_metrics"):
            assert landing.storage.names(folder) == []
        assert Landing(tmp_path).loads() == []
        load.commit()
    assert len(Landing(tmp_path).loads()) == 1


def test_a_load_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the power takes away after a rename is what was not synced before it."""
    steps: list[tuple[str, int]] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(handle: int) -> None:
        steps.append(("sync", os.fstat(handle).st_ino))
        fsync(handle)

    def noting_replace(source: Path, target: str) -> None:
        steps.append(("name", os.stat(source).st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    landing = Landing(tmp_path)
    with landing.open_load("files", "products") as writer:
        writer.write(pl.DataFrame({"name": ["a"]}))
        writer.reject([Rejected(1, b"x", "bad")])
        load = writer.commit()
    # The rejected records first, then the load that counts them.
    expected = []
    for path in (tmp_path / landing.rejected_file(load), Path(load.file)):
        file, folder = path.stat().st_ino, path.parent.stat().st_ino
        expected += [("sync", file), ("name", file), ("sync", folder)]
    assert steps == expected


def test_rejected_records_of_a_load_that_never_came_are_deleted_after_a_day(
    tmp_path: Path,
) -> None:
    landing = Landing(tmp_path)
    landing.prepare()
    kept = []
    for resource in ("products", "scripts"):
        with landing.open_load("files", resource) as load:
            load.reject([Rejected(0, b"x", "bad")])
            kept.append(landing.rejected_file(load.commit()))

    def orphan(resource: str, days: float) -> Path:
        path = tmp_path / f"_rejected/files/{resource}/{new_load_id()}.parquet"
        path.write_bytes((tmp_path / kept[0]).read_bytes())
        os.utime(path, (time.time() - days * 86400,) * 2)
        return path

    old, young, beside = orphan("products", 2), orphan("products", 0.5), orphan("scripts", 2)
    for name in kept:
        os.utime(tmp_path / name, (0, 0))
    # A file that cannot be read may hold the load that a rejected file belongs to.
    damaged = tmp_path / "files/scripts/damaged.parquet"
    damaged.write_bytes(b"x")
    landing.prepare()
    assert [old.exists(), young.exists(), beside.exists()] == [False, True, True]
    damaged.unlink()
    compact(landing)
    assert [young.exists(), beside.exists()] == [True, False]
    assert len(Landing(tmp_path).rejected()) == 2
