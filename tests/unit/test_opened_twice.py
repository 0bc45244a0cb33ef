"""A program opens a release through ``repositories`` and by DuckDB's own ``connect``: DuckDB has a
file open once in a process, and what the one may do the other may."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from common.errors import AceError, UsageError
from repositories.release_files import UnreadableError, open_file
from tests.support.small_release import release

COUNT = "select count(*) from canonical.products"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    release({"canonical.products": ({"product_id": "uuid"}, [])}, tmp_path)
    return tmp_path / "releases" / "1.duckdb"


def plainly(file: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(file), read_only=True)


def test_whoever_comes_second_shares_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from repositories.duckdb_reader import DuckReader

    secret = file.parent / "secret.csv"
    secret.write_text("a\n1\n")
    monkeypatch.chdir(file.parent)
    with DuckReader(Path(file.name)) as reader, plainly(file) as plain:
        assert plain.execute(COUNT).fetchall() == reader.query(COUNT).rows == [(0,)]
        with pytest.raises(duckdb.PermissionException):
            plain.execute(f"from '{secret}'")
    with plainly(file) as plain:
        assert plain.execute(f"from '{secret}'").fetchall() == [(1,)], "closed is closed"
        with DuckReader(file) as reader:
            assert reader.query(COUNT).rows == [(0,)]
            for sql in (f"from '{secret}'", "attach ':memory:' as m", "install httpfs"):
                with pytest.raises(UsageError):
                    reader.query(sql)
            for sql in ("set enable_external_access = true", "set lock_configuration = false"):
                with pytest.raises(duckdb.Error, match="locked"):
                    plain.execute(sql)


def test_what_cannot_be_made_safe_is_not_read(file: Path) -> None:
    with plainly(file) as plain:
        plain.execute("set lock_configuration = true")
        with pytest.raises(UnreadableError, match="locked and let queries read files"):
            open_file(file)
    with (
        duckdb.connect(str(file), read_only=True, config={"threads": "1"}),
        pytest.raises(AceError, match="is open in this process otherwise"),
    ):
        open_file(file)


def test_no_extension_is_looked_for(tmp_path: Path) -> None:
    """Of a database of SQLite, DuckDB would fetch what reads it before anything is shut."""
    other = tmp_path / "other.duckdb"
    other.write_bytes(b"SQLite format 3\0" + bytes(4080))
    with pytest.raises(UnreadableError, match="not a readable DuckDB file"):
        open_file(other)
