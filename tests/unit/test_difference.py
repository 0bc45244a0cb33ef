"""``ace releases diff N M``: rows by key, on both engines."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from repositories.connection import open_release
from tests.support import small_warehouse
from tests.support.small_postgres import build as build_postgres
from warehouse import difference
from warehouse.cli import main
from warehouse.release.duckdb import DuckStore


def _release(home: Path, build: int, change: str = "") -> None:
    file = home / "warehouse.duckdb"
    file.unlink(missing_ok=True)
    small_warehouse.make(file, build=build)
    with duckdb.connect(str(file)) as connection:
        connection.execute(change or "select 1")
    store = DuckStore(home, file, 5)
    store.record_passed(small_warehouse.passed(build))
    store.publish()


def test_rows_added_removed_and_changed(ace_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _release(ace_home, 1)
    _release(
        ace_home,
        2,
        "delete from marts.post_performance where views = 10000000000;"
        "update marts.post_performance set likes = null where views = 20000000000;"
        "insert into marts.post_performance (post_id, external_post_id, views) values"
        " ('00000000-0000-0000-0000-0000000000ff', null, 5), (uuid(), null, 6);"
        "alter table marts.row_ledger add column extra bigint",
    )
    with pytest.raises(SystemExit) as ended:
        main(["releases", "diff", "1", "2", "--json"])
    assert not ended.value.code
    said = json.loads(capsys.readouterr().out)
    found = {one["table"]: one for one in said["tables"]}
    posts = found["marts.post_performance"]
    # Rows with an unknown (NaN) rate are equal to themselves.
    assert [posts[one] for one in ("added", "removed", "changed", "same")] == [2, 1, 1, 1]
    ledger = found["marts.row_ledger"]
    assert ledger["columns_added"] == ["extra"]
    assert (ledger["same"], ledger["changed"]) == (1, 0)
    assert found["marts.post_metric_history"]["same"] == 12
    (views,) = (one for one in said["numbers"] if one["number"] == "views")
    assert (views["before"], views["after"]) == (60000000000, 50000000011)
    with pytest.raises(SystemExit) as ended:
        main(["releases", "diff", "1", "9"])
    assert ended.value.code
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.postgres
def test_the_same_on_postgres(postgres_url: str) -> None:
    build_postgres(postgres_url, 1).publish()
    build_postgres(postgres_url, 2).publish()

    def opened(number: int) -> object:
        return open_release("", number, target="postgres", postgres_url=postgres_url)  # type: ignore[arg-type]

    with opened(1) as old, opened(2) as new:  # type: ignore[attr-defined]
        same = {one["table"]: one for one in difference.tables(old, old)}
        other = {one["table"]: one for one in difference.tables(old, new)}
        (count,) = old.query("select count(*) from canonical.products").rows
    products = same["canonical.products"]
    assert (products["same"], products["added"], products["changed"]) == (count[0], 0, 0)
    assert other["canonical.products"]["same"] + other["canonical.products"]["changed"] > 0
