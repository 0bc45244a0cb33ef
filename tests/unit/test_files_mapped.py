"""Paths of ``--map``: into lists, into cells of JSON, and misspelt ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from common.errors import UsageError
from loaders.files import FileResult, load_files
from loaders.files.plan import Plan
from loaders.landing import Landing

VIDEO = {
    "id": "7412345678901234567",
    "desc": "x",
    "author": {"uniqueId": "m"},
    "stats": {"playCount": 5, "diggCount": 7},
    "challenges": [{"title": "a"}, {"title": "b"}, {"id": 1}],
    "edges": [{"node": {"tags": [{"name": "c"}, {"name": "d"}]}}, {"node": {"tags": []}}],
}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def load(
    landing: Landing, path: Path, records: list[Any], maps: dict[str, str] | None = None
) -> FileResult:
    if path.suffix == ".json":
        path.write_text(json.dumps(records))
    elif path.suffix == ".parquet":
        pl.DataFrame(records).write_parquet(path)
    elif path.suffix == ".csv":
        pl.DataFrame(records).write_csv(path)
    else:
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
    maps = {"external_id": "id", **(maps or {})}
    (result,) = load_files(
        landing, [path], table="raw_videos", maps=maps, sets={"platform": "tiktok"}
    )
    return result


def column(landing: Landing, name: str) -> list[Any]:
    return pl.concat([pl.read_parquet(one.file) for one in landing.loads()])[name].to_list()


@pytest.mark.parametrize(
    ("path", "tags"),
    [
        ("challenges.*.title", ["a", "b"]),
        ("edges.*.node.tags.*.name", ["c", "d"]),
        ("edges.0.node.tags.*.name", ["c", "d"]),
        ("edges.1.node.tags.*.name", []),
        ("challenges.1.title", ["b"]),
    ],
)
def test_stars_reach_into_lists(
    landing: Landing, tmp_path: Path, path: str, tags: list[str]
) -> None:
    assert load(landing, tmp_path / "a.ndjson", [VIDEO], {"hashtags": path}).message == ""
    assert column(landing, "hashtags") == [tags]


def test_a_star_is_for_columns_that_take_lists() -> None:
    with pytest.raises(UsageError) as told:
        Plan(table="raw_videos", maps={"caption": "edges.*.node.text"})
    assert "caption takes one value" in str(told.value)
    assert "edges.0.node.text" in str(told.value)


@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.parquet"])
@pytest.mark.parametrize(
    ("column_name", "path", "nearest"),
    [
        ("view_count", "stats.playcount", "stats.playCount"),
        ("author", "autor.uniqueId", "author.uniqueId"),
        ("caption", "descr", "desc"),
        ("hashtags", "challenges.*.titel", "challenges.*.title"),
        ("author", "desc.uniqueId", "author.uniqueId"),
        ("author", "challenges.0.titel", "challenges.0.title"),
    ],
)
def test_a_path_that_no_record_has_is_an_error(
    landing: Landing, tmp_path: Path, name: str, column_name: str, path: str, nearest: str
) -> None:
    result = load(landing, tmp_path / name, [VIDEO, VIDEO], {column_name: path})
    assert (result.status, result.exit_code) == ("failed", 2)
    assert f"--map {column_name}={path}: " in result.message
    # The columns of Parquet are known before its records.
    shown = nearest if path.partition(".")[0] in VIDEO or name != "a.parquet" else nearest[:4]
    assert f"'{shown}" in result.message
    assert landing.loads() == []


def test_one_record_with_the_path_is_enough(landing: Landing, tmp_path: Path) -> None:
    plain: dict[str, Any] = {"id": "7412345678901234567", "desc": None}
    late = [plain] * 400 + [VIDEO]
    maps = {"view_count": "stats.playCount", "caption": "desc"}
    assert load(landing, tmp_path / "a.ndjson", late, maps).accepted == 401
    # What is null or empty everywhere could be anything.
    nothing: tuple[dict[str, Any], ...] = ({"stats": None}, {"stats": {"playCount": None}})
    for i, empty in enumerate(nothing):
        given = [plain | empty, plain | empty]
        assert load(landing, tmp_path / f"{i}.ndjson", given, maps).message == ""
    empty_list: list[dict[str, Any]] = [plain | {"challenges": []}]
    tags = {"hashtags": "challenges.*.title"}
    assert load(landing, tmp_path / "b.ndjson", empty_list, tags).message == ""


def test_clean_lines_are_looked_at_too(landing: Landing, tmp_path: Path) -> None:
    given = [{"id": str(i), "views": i} for i in range(50)]
    failed = load(landing, tmp_path / "a.ndjson", given, {"caption": "vieuws"})
    assert "Did you mean 'views'?" in failed.message
    some = [*given, {"id": "x", "vieuws": None}]
    assert load(landing, tmp_path / "a.ndjson", some, {"caption": "vieuws"}).accepted == 51


def test_each_file_is_looked_at_by_itself(landing: Landing, tmp_path: Path) -> None:
    for name, key in (("a", "playCount"), ("b", "plays")):
        record = {"id": name, "stats": {key: 1}}
        (tmp_path / f"{name}.ndjson").write_text(json.dumps(record))
    results = load_files(
        landing, [tmp_path / "a.ndjson", tmp_path / "b.ndjson"], table="raw_videos",
        maps={"external_id": "id", "view_count": "stats.plays"}, sets={"platform": "x"},
    )  # fmt: skip
    assert [one.status for one in results] == ["failed", "landed"]


def test_columns_of_flattened_tables_and_cells_of_json(landing: Landing, tmp_path: Path) -> None:
    maps = {"author": "author.name", "view_count": "stats.plays"}
    flat = [{"id": "1", "author.name": "n", "stats": '{"plays": 3}'}]
    assert load(landing, tmp_path / "a.csv", flat, maps).message == ""
    assert (column(landing, "author"), column(landing, "view_count")) == (["n"], [3])
    wrong = load(landing, tmp_path / "b.csv", flat, maps | {"view_count": "stats.play"})
    assert "no record of" in wrong.message
    assert "Did you mean 'stats" in wrong.message
