"""``ace export --duckdb``: a file that older versions of DuckDB read, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.small_release import release
from warehouse import export_duckdb as exporting
from warehouse.cli import main

#: The number that DuckDB 1.x writes after its magic bytes.
OLDEST = 64
TABLES: dict[str, Any] = {
    "marts.post_performance": (
        {"post_id": "uuid", "platform": "text", "views": "bigint", "published_at": "timestamptz",
         "hashtags": "text[]"},
        [
            {"post_id": f"00000000-0000-0000-0000-{n:012}", "platform": "it's", "views": 10**10 + n,
             "published_at": "2026-10-01 00:00:00+00"}
            for n in range(25)
        ],
    ),
}  # fmt: skip


def export(*options: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["export", *options])
    return int(ended.value.code or 0)


def format_of(file: Path) -> int:
    with file.open("rb") as opened:
        head = opened.read(20)
    assert head[8:12] == b"DUCK"
    return int.from_bytes(head[12:20], "little")


def test_an_older_duckdb_has_every_row_and_description(
    ace_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release(TABLES, ace_home)
    monkeypatch.setattr(exporting, "ROWS", 7)
    file = ace_home / "new" / "it's old.duckdb"
    assert export("--duckdb", str(file), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["file"], said["release"]) == (str(file), 1)
    assert format_of(file) == OLDEST < format_of(ace_home / "current.duckdb")
    assert [one.name for one in file.parent.iterdir()] == [file.name], "nothing else stays"
    with duckdb.connect(str(file), read_only=True) as older:
        tags = older.execute("select tags from duckdb_databases() where not internal").fetchall()
        assert tags == [({"storage_version": "v1.0.0+"},)]
        found = older.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables()"
        ).fetchall()
        counted = {
            name: older.execute(f"select count(*) from {name}").fetchall()[0][0]
            for name, _ in found
        }
        assert counted == said["rows"]
        assert counted["marts.post_performance"] == 25
        assert ("meta.release", dict(found)["meta.release"]) in found
        assert dict(found)["meta.release"].startswith("The release")
        kinds = older.execute("select distinct typeof(post_id) from marts.post_performance")
        assert kinds.fetchall() == [("UUID",)], "ids are no texts, and join with ids"
        rows = older.execute(
            "select post_id, platform, views, published_at at time zone 'UTC' "
            "from marts.post_performance order by 1"
        ).fetchall()
        assert [row[2] for row in rows] == [10**10 + n for n in range(25)]
        assert {row[1] for row in rows} == {"it's"}
        assert str(rows[0][3]) == "2026-10-01 00:00:00"


def test_another_file_is_replaced_only_when_asked(
    ace_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release(TABLES, ace_home)
    file = ace_home / "older.duckdb"
    file.write_text("mine")
    assert export("--duckdb", str(file), "--table", "post_performance") == 2
    assert "exists already" in capsys.readouterr().err
    assert file.read_text() == "mine"

    def fails(*given: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(exporting, "_write", fails)
        assert export("--duckdb", str(file), "--force") == 1
    assert "No space left on device" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert export("--duckdb", str(file), "--table", "post_performance", "--force") == 0
    assert format_of(file) == OLDEST
    assert not list(ace_home.glob(".older*")), "nothing half-done stays"


@pytest.mark.parametrize(
    "name",
    ["current.duckdb", "warehouse.duckdb", "releases/1.duckdb", "spark/warehouse.duckdb"],
)
def test_what_ace_keeps_itself_is_never_replaced(
    name: str, ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release(TABLES, ace_home)
    (ace_home / "spark").mkdir()
    (ace_home / "spark" / "warehouse.duckdb").write_text("what Spark built")
    before = (ace_home / name).read_bytes()
    assert export("--duckdb", str(ace_home / name), "--force") == 2
    assert "belongs to the warehouse" in capsys.readouterr().err
    assert (ace_home / name).read_bytes() == before


def test_one_way_at_a_time(ace_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--output", "a", "--duckdb", "b"], ["--output", "a", "--force"]):
        assert export(*options) == 2
        assert "--duckdb" in capsys.readouterr().err
