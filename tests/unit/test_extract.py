"""``ace extract training``: every row, stamped with what it is of, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.support import small_warehouse
from warehouse import frames
from warehouse.cli import main
from warehouse.release.duckdb import DuckStore

FEATURES = """
create table marts.post_features_as_of (post_id uuid, platform varchar, caption varchar,
    tags varchar[], views_72h bigint, expected_ln_views_72h double);
insert into marts.post_features_as_of values
    ('00000000-0000-0000-0000-000000000002', 'tiktok', 'b "x", é', ['a', 'b'], 12345678901, 0.1),
    ('00000000-0000-0000-0000-000000000001', 'youtube', null, null, null, null)
"""


@pytest.fixture
def released(ace_home: Path) -> Path:
    small_warehouse.make(ace_home / "warehouse.duckdb")
    with duckdb.connect(str(ace_home / "warehouse.duckdb")) as connection:
        connection.execute(FEATURES)
    store = DuckStore(ace_home, ace_home / "warehouse.duckdb", 5)
    store.record_passed(small_warehouse.passed())
    store.publish()
    return ace_home


def extract(*options: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["extract", "training", *options])
    return int(ended.value.code or 0)


@pytest.mark.parametrize("ending", frames.FORMATS)
def test_every_row_says_what_it_is_of(
    released: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = released / f"posts{ending}"
    assert extract("--output", str(file), "--json") == 0
    as_of = small_warehouse.AS_OF.replace(" ", "T") + ":00"
    assert json.loads(capsys.readouterr().out) == {
        "file": str(file), "rows": 2, "release": 1, "as_of": as_of,
    }  # fmt: skip
    if ending == ".csv":
        frame = pl.read_csv(file)
    else:
        frame = pl.read_ndjson(file) if ending == ".ndjson" else pl.read_parquet(file)
    assert frame["release"].to_list() == [1, 1]
    assert {str(one)[:10] for one in frame["release_as_of"]} == {small_warehouse.AS_OF[:10]}
    assert [str(one)[-1] for one in frame["post_id"]] == ["1", "2"]
    assert frame["views_72h"].to_list() == [None, 12345678901]
    assert frame["caption"].to_list() == [None, 'b "x", é']
    tags = '["a", "b"]' if ending == ".csv" else ["a", "b"]
    assert frame["tags"].to_list() == [None, tags]
    if ending == ".parquet":
        said = pl.read_parquet_metadata(file)
        assert (said["ace.release"], said["ace.as_of"]) == ("1", as_of)


def test_what_was_there_stays_until_the_new_file_is_whole(
    released: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = released / "posts.parquet"
    file.write_bytes(b"before")

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    assert extract("--output", str(file)) == 1
    assert "is full" in capsys.readouterr().err
    assert file.read_bytes() == b"before"
    assert not list(released.glob(".tmp-*"))


def test_it_says_what_cannot_be(released: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extract("--output", "posts.xlsx") == 2
    assert ".parquet, .csv or .ndjson" in capsys.readouterr().err
    assert extract("--output", "x.csv", "--release", "9") != 0
    assert capsys.readouterr().err.count("\n") == 1
    assert extract("--output", str(released / "no" / "x.csv")) == 1
    assert "x.csv" not in capsys.readouterr().out
