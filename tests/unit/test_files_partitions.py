"""Folders ``column=value`` of partitioned tables fill columns of the files in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import load_files
from loaders.landing import Landing
from loaders.retry import retry_rejected


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def put(folder: Path, where: str, records: list[dict[str, Any]]) -> Path:
    path = folder / where
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pl.DataFrame(records).write_parquet(path)
    elif path.suffix == ".csv":
        pl.DataFrame(records).write_csv(path)
    else:
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def rows(landing: Landing) -> list[dict[str, Any]]:
    frames = [pl.read_parquet(load.file) for load in landing.loads() if load.accepted]
    return [
        {n: json.loads(row[n]) if n == "_extra" and row[n] else row[n] for n in row}
        for row in pl.concat(frames).sort("external_id").to_dicts()
    ]


@pytest.mark.parametrize("kind", ["parquet", "csv", "ndjson"])
@pytest.mark.parametrize("clean", [True, False])
def test_a_folder_of_folders(landing: Landing, tmp_path: Path, kind: str, clean: bool) -> None:
    besides = {} if clean else {"made_up": "m"}
    for day in ("2024-07-01", "2024-07-02"):
        where = f"videos/platform=tiktok/dt={day}/part.{kind}"
        put(tmp_path, where, [{"external_id": day[-2:], "view_count": 5, **besides}])
    put(tmp_path, "videos/_delta_log/0.json", [{"commitInfo": 1}])
    results = load_files(landing, [tmp_path / "videos"], table="raw_videos")
    assert [one.status for one in results] == ["landed", "landed"]
    landed = rows(landing)
    assert [row["platform"] for row in landed] == ["tiktok", "tiktok"]
    assert [row["_extra"]["dt"] for row in landed] == ["2024-07-01", "2024-07-02"]
    assert [row["_extra"].get("made_up") for row in landed] == [besides.get("made_up")] * 2
    said = " ".join(results[0].notices)
    assert "names of its folders: platform=tiktok and dt=2024-07-01" in said
    assert "kept in _extra, since no column is called so: dt." in said


def test_the_record_and_the_options_win(landing: Landing, tmp_path: Path) -> None:
    path = put(
        tmp_path, "platform=x/dt=old/author=%C3%A9%2Fb/a.ndjson",
        [{"external_id": "1", "platform": "youtube", "dt": "own"}, {"external_id": "2"}],
    )  # fmt: skip
    load_files(landing, [path], table="raw_videos")
    one, two = rows(landing)
    assert (one["platform"], two["platform"]) == ("youtube", "x")
    assert (one["_extra"]["dt"], two["_extra"]["dt"]) == ("own", "old")
    assert one["author"] == "é/b"
    load_files(landing, [path], table="raw_videos", sets={"platform": "instagram"})
    assert sorted(row["platform"] for row in rows(landing)) == [
        "instagram", "x", "youtube", "youtube"
    ]  # fmt: skip


def test_null_and_other_folders_state_nothing(landing: Landing, tmp_path: Path) -> None:
    path = put(
        tmp_path, "platform=__HIVE_DEFAULT_PARTITION__/dt=/plain/a.ndjson", [{"external_id": "1"}]
    )
    (result,) = load_files(landing, [path], table="raw_videos")
    assert rows(landing)[0]["platform"] is None
    assert "folders" not in " ".join(result.notices)


def test_a_value_that_is_none_refuses_the_file(landing: Landing, tmp_path: Path) -> None:
    path = put(tmp_path, "view_count=many/a.ndjson", [{"external_id": "1"}])
    (result,) = load_files(landing, [path], table="raw_videos")
    assert (result.status, result.exit_code) == ("failed", 2)
    assert str(path) in result.message
    assert "view_count: 'many' is not a whole number" in result.message
    assert "--set view_count=" in result.message
    (result,) = load_files(landing, [path], table="raw_videos", sets={"view_count": "3"})
    assert result.accepted == 1


def test_the_same_file_in_another_folder_is_another_input(landing: Landing, tmp_path: Path) -> None:
    for platform in ("tiktok", "youtube"):
        put(tmp_path, f"t/platform={platform}/a.ndjson", [{"external_id": "1"}])
    results = load_files(landing, [tmp_path / "t"], table="raw_videos")
    assert [one.status for one in results] == ["landed", "landed"]
    assert sorted(row["platform"] for row in rows(landing)) == ["tiktok", "youtube"]
    again = load_files(landing, [tmp_path / "t"], table="raw_videos")
    assert [one.status for one in again] == ["skipped", "skipped"]


def test_presets_and_retries_know_the_folders(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loaders import values

    integer = values.KINDS["integer"]

    def fails(value: Any, typing: Any) -> Any:
        raise values.NotTyped("not today")

    path = put(
        tmp_path, "dt=d/author=me/a.ndjson", [{"id": "7361111111111111111", "view_count": 1}]
    )
    monkeypatch.setitem(values.KINDS, "integer", fails)
    load_files(landing, [path], preset="tiktok-research")
    assert landing.loads()[0].rejected == 1
    monkeypatch.setitem(values.KINDS, "integer", integer)
    assert len(retry_rejected(landing)) == 1
    load_files(landing, [path], preset="tiktok-research", again=True)
    for row in rows(landing):
        assert (row["author"], row["_extra"]["dt"]) == ("me", "d")
