"""The comparison of saved tables: what it takes for the same, and that it sees all else."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from tests.same_rows.__main__ import main
from tests.same_rows.compare import Verdict, compare
from tests.same_rows.save import save

ROWS = """
    (1::bigint, 'tiktok', 0.1::double, timestamptz '2026-10-01 12:00+00', ['a', 'b'],
        '{"rate": 0.5, "n": 1, "on": true}'::json, [0.25::double]),
    (2, 'tiktok', 'NaN', null, null, null, [0.5]),
    (3, 'youtube', null, timestamptz '2026-10-02 12:00+00', ['a', null], '[1, 2]', [null]),
    (3, 'youtube', null, timestamptz '2026-10-02 12:00+00', ['a', null], '[1, 2]', [null])
"""
COLUMNS = "id, platform, score, seen_at, tags, facts, weights"


def write(folder: Path, change: str = "", table: str = "marts.posts", select: str = "*") -> Path:
    """One saved table, after a statement changed table ``t``."""
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"create table t as from (values {ROWS}) as t ({COLUMNS})")
        if change:
            connection.execute(change)
        connection.execute(f"copy (select {select} from t) to '{folder}/{table}.parquet'")
    return folder


def verdict(tmp_path: Path, change: str = "", select: str = "*") -> Verdict:
    """Of the table as it is against the changed one; both ways, which must agree."""
    before = write(tmp_path / "before")
    after = write(tmp_path / "after", change, select=select)
    [found], [back] = compare(before, after), compare(after, before)
    if select == "*":
        assert found.equal == back.equal
    return found


@pytest.mark.parametrize(
    ("change", "select"),
    [
        ("", "*"),
        ("create or replace table t as from t order by id desc", "*"),
        ("", "facts, weights, score, tags, seen_at, platform, id"),
        ("update t set score = 0.1 * (1 + 9e-10) where id = 1", "*"),
        ("update t set weights = [0.25 * (1 - 9e-10)] where id = 1", "*"),
        # A value that is no number is equal to itself beside one with other last digits.
        ("update t set weights = [0.5 * (1 + 1e-10)] where id = 2", "*"),
        ("""update t set facts = '{"on":true, "n":1.0, "rate":0.50000000001}' where id = 1""", "*"),
    ],
)
def test_order_last_digits_and_spelling_of_json_are_no_difference(
    tmp_path: Path, change: str, select: str
) -> None:
    found = verdict(tmp_path, change, select)
    assert found.equal
    assert found.lines == []
    assert "4 rows" in str(found)


@pytest.mark.parametrize(
    "change",
    [
        "id = 4 where id = 1",
        "platform = 'TikTok' where id = 1",
        "platform = null where id = 1",
        "score = 0.1 * (1 + 2e-9) where id = 1",
        "score = 0 where id = 2",
        "score = 0 where id = 3",
        "seen_at = seen_at + interval 1 microsecond where id = 1",
        "tags = ['b', 'a'] where id = 1",
        "tags = [] where id = 2",
        "weights = [0.26] where id = 1",
        "weights = [] where id = 1",
        """facts = '{"rate": 0.6, "n": 1, "on": true}' where id = 1""",
        """facts = '{"rate": 0.5, "n": 1, "on": 1}' where id = 1""",
        """facts = '{"rate": 0.5, "n": 1}' where id = 1""",
        """facts = '{"rate": 0.5, "n": "1", "on": true}' where id = 1""",
        "facts = 'null' where id = 2",
    ],
)
def test_a_changed_value_is_seen(tmp_path: Path, change: str) -> None:
    found = verdict(tmp_path, f"update t set {change}")
    assert not found.equal
    assert found.state == "DIFFERENT: 4 and 4 rows"


def test_rows_of_one_key_are_shown_as_one_with_the_columns_that_differ(tmp_path: Path) -> None:
    unique = "delete from t where id = 3; "
    before = write(tmp_path / "before", unique)
    after = write(tmp_path / "after", unique + "update t set platform = 'x', score = 1")
    [found] = compare(before, after)
    assert found.lines == [
        "platform differs in 2 rows",
        "score differs in 2 rows",
        "id=1: platform tiktok -> x, score 0.1 -> 1.0",
        "id=2: platform tiktok -> x, score nan -> 1.0",
    ]


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ("delete from t where id = 1", "4 and 3 rows"),
        # Of two equal rows, one: their number counts.
        ("delete from t where rowid = 3", "4 and 3 rows"),
        ("insert into t from t where id = 1", "4 and 5 rows"),
        ("delete from t", "4 and 0 rows"),
    ],
)
def test_a_lost_or_doubled_row_is_seen(tmp_path: Path, change: str, counts: str) -> None:
    found = verdict(tmp_path, change)
    assert not found.equal
    assert counts in str(found)
    assert "rows only" in str(found)


def test_one_close_row_does_not_stand_for_two(tmp_path: Path) -> None:
    before = write(tmp_path / "before", "delete from t where id = 2; update t set score = 0.1")
    after = write(
        tmp_path / "after",
        "delete from t where id = 2; update t set score = 0.1 * (1 + 5e-10);"
        "update t set score = 0.2 where rowid = 3",
    )
    [found] = compare(before, after)
    assert not found.equal
    assert "1 rows only before" in str(found)


@pytest.mark.parametrize(
    ("select", "equal", "said"),
    [
        ("* exclude (score)", False, "gone: column score"),
        ("* replace (id::double as id)", False, "changed: column id was BIGINT, is DOUBLE"),
        ("*, 1 as more", True, "new: column more"),
    ],
)
def test_columns(tmp_path: Path, select: str, equal: bool, said: str) -> None:
    found = verdict(tmp_path, select=select)
    assert (found.equal, found.lines) == (equal, [said])


def test_a_table_that_is_gone_fails_and_a_new_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more, less = write(tmp_path / "more"), write(tmp_path / "less")
    write(more, table="canonical.products")
    assert _run(monkeypatch, "compare", more, less) == 1
    assert "MISSING" in capsys.readouterr().out
    assert _run(monkeypatch, "compare", less, more) == 0
    assert "NEW table" in capsys.readouterr().out


def test_nothing_saved_is_not_equal_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match="2"):
        _run(monkeypatch, "compare", tmp_path, tmp_path)


def test_without_a_build_nothing_is_saved(ace_home: Path) -> None:
    with pytest.raises(SystemExit, match="run 'ace build' first"):
        save(ace_home / "saved")


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["same_rows", *map(str, arguments)])
    return main()
