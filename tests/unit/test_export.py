"""``ace export``: every row of a release in files that anything reads, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from repositories import Warehouse
from tests.support.small_release import release
from warehouse import export as exporting
from warehouse.cli import main

POSTS = {
    "post_id": "uuid", "platform": "text", "views": "bigint", "published_at": "timestamptz",
    "hashtags": "text[]",
}  # fmt: skip
POLLS = {
    "post_id": "uuid", "collected_at": "timestamptz", "views": "bigint",
}  # fmt: skip


def key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


TABLES: dict[str, Any] = {
    "marts.post_performance": (
        POSTS,
        [
            {"post_id": key(n), "platform": "tiktok", "views": 10**10 + n,
             "published_at": "2026-10-01 00:00:00+00"}
            for n in range(25)
        ],
    ),
    "marts.post_metric_history": (
        POLLS,
        [
            {"post_id": key(n // 5), "collected_at": f"2026-10-0{1 + n % 5} 00:00:00+00",
             "views": n}
            for n in range(25)
        ],
    ),
}  # fmt: skip


def export(*options: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["export", *options])
    return int(ended.value.code or 0)


def test_every_row_is_written_once_however_many_there_are(
    ace_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release(TABLES, ace_home)
    monkeypatch.setattr(exporting, "ROWS", 7)
    folder = ace_home / "out"
    assert export("--output", str(folder), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"]["marts.post_performance"] == 25
    posts = pl.read_parquet(folder / "marts" / "post_performance.parquet")
    assert posts["post_id"].to_list() == [key(n) for n in range(25)]
    assert posts["views"].to_list() == [10**10 + n for n in range(25)]
    assert posts.schema["published_at"] == pl.Datetime("us", "UTC")
    polls = pl.read_parquet(folder / "marts" / "post_metric_history.parquet")
    assert polls["views"].sort().to_list() == list(range(25))
    about = json.loads((folder / "release.json").read_text())
    assert (about["release"], about["rows"]) == (1, said["rows"])
    names = {f"{file.parent.name}.{file.stem}" for file in folder.rglob("*.parquet")}
    assert names == set(said["rows"])


def test_a_table_of_its_own_and_what_is_refused(
    ace_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release(TABLES, ace_home)
    folder = ace_home / "out"
    assert export("--output", str(folder), "--table", "post_performance") == 0
    assert [file.name for file in folder.rglob("*.parquet")] == ["post_performance.parquet"]
    assert export("--output", str(folder)) == 2
    assert "holds something already" in capsys.readouterr().err
    assert export("--output", str(ace_home / "other"), "--table", "nothing") == 2
    assert "There is no table 'nothing'" in capsys.readouterr().err

    def fails(*given: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_write", fails)
    assert export("--output", str(ace_home / "other")) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert not list(ace_home.glob("*other*")), "nothing half-done stays"


@pytest.mark.postgres
def test_postgres_exports_the_same(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    monkeypatch.setattr(exporting, "ROWS", 7)
    for engine, url in (("duckdb", None), ("postgres", postgres_url)):
        home = tmp_path / engine
        home.mkdir()
        config = release(TABLES, home, url)
        with Warehouse.open(config=config) as warehouse:
            names = list(TABLES)
            exporting.export(warehouse, tmp_path / f"out-{engine}", names)
        folder = tmp_path / f"out-{engine}"
        found[engine] = {
            name: pl.read_parquet(folder / f"{name.replace('.', '/')}.parquet") for name in names
        }
    for name in TABLES:
        assert found["duckdb"][name].equals(found["postgres"][name])
