"""The mirror of an object store's landing zone: each file once, complete, and no others."""

from __future__ import annotations

import uuid
from pathlib import Path

import polars as pl
import pytest

from common.errors import AceError
from loaders.landing import Landing, Rejected
from loaders.landing.compaction import compact
from warehouse.build.mirror import local_landing


@pytest.fixture
def store() -> Landing:
    """A landing zone in a store that is reached through fsspec, as S3 is."""
    return Landing(f"memory://{uuid.uuid4().hex}/landing")


def land(landing: Landing, name: str) -> None:
    with landing.open_load("files", "products") as load:
        load.write(pl.DataFrame({"product_id": [str(uuid.uuid4())], "name": [name]}))
        load.reject([Rejected(1, b"{", "broken JSON", None)])
        load.commit()


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.parquet"))


def test_new_files_are_copied_once(store: Landing, tmp_path: Path) -> None:
    said: list[str] = []
    store.prepare()
    land(store, "a")
    store.heartbeat("supabase", {})
    mirror = local_landing(store, tmp_path / "mirror", said.append)
    assert mirror.storage.local
    assert [load.load_id for load in mirror.loads()] == [load.load_id for load in store.loads()]
    assert len(mirror.heartbeats()) == 1
    # Rejected records are not read by builds.
    assert all("_rejected" not in name for name in files(tmp_path))
    assert said[0].startswith("Copied 2 new landed files (0.0 MB) from memory://")

    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    land(store, "b")
    mirror = local_landing(store, tmp_path / "mirror", said.append)
    assert said[1].startswith("Copied 1 new landed file ")
    assert len(mirror.loads()) == 2
    assert {p: p.stat().st_mtime_ns for p in before} == before
    local_landing(store, tmp_path / "mirror", said.append)
    assert len(said) == 2


def test_a_local_landing_zone_is_its_own(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")
    assert local_landing(landing, tmp_path / "mirror", print) is landing
    assert not (tmp_path / "mirror").exists()


def test_what_compaction_removed_goes_but_not_under_a_build(
    store: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.landing.compaction.REMOTE_GRACE_SECONDS", -1)
    folder = tmp_path / "mirror"
    for name in "abc":
        land(store, name)
    loads = [load.load_id for load in store.loads()]
    mirror = local_landing(store, folder, print)
    old = files(folder)
    compact(store, min_files=2)
    compact(store, min_files=2)
    assert len(store.storage.names("files/products")) == 1
    with mirror.shared_lock():
        again = local_landing(store, folder, print)
        assert set(old) < set(files(folder))
        # The same loads, each once, although two files hold them.
        assert [load.load_id for load in again.loads()] == loads
    again = local_landing(store, folder, print)
    assert files(folder) == store.storage.names("files/products")
    assert [load.load_id for load in again.loads()] == loads


def test_a_copy_that_breaks_leaves_nothing_half_and_says_so(
    store: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    def broken(self: object, path: str, target: str, **options: object) -> None:
        Path(target).write_bytes(b"PAR1 half")
        raise ConnectionError("the line went dead")

    land(store, "a")
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "get_file", broken)
        with pytest.raises(AceError, match=r"memory://.* could not be copied .*went dead"):
            local_landing(store, tmp_path / "mirror", print)
    assert [p for p in tmp_path.rglob("*") if p.is_file() and p.name != ".lock"] == []
    assert len(local_landing(store, tmp_path / "mirror", print).loads()) == 1


def test_a_file_that_vanishes_meanwhile_is_looked_for_again(
    store: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    land(store, "a")
    land(store, "b")
    get = MemoryFileSystem.get_file
    compacted: list[object] = []

    def late(self: MemoryFileSystem, path: str, target: str, **options: object) -> object:
        if not compacted:
            compacted.append(compact(store, min_files=2))
            for name in store.storage.names("files/products"):
                if len(store.file_loads(name)) == 1:
                    store.storage.remove(name)
        return get(self, path, target, **options)

    monkeypatch.setattr(MemoryFileSystem, "get_file", late)
    monkeypatch.setattr("warehouse.build.mirror._PARALLEL", 1)
    mirror = local_landing(store, tmp_path / "mirror", print)
    assert compacted
    assert len(mirror.loads()) == 2


def test_a_damaged_copy_is_fetched_again(store: Landing, tmp_path: Path) -> None:
    store.prepare()
    land(store, "a")
    (load,) = local_landing(store, tmp_path / "mirror", print).loads()
    Path(load.file).write_bytes(b"x")
    mirror = local_landing(store, tmp_path / "mirror", print)
    assert [one.load_id for one in mirror.loads()] == [load.load_id]
    assert mirror.left_out() == []
