"""What the benchmark of increments rests on: new polls, and hand-written SQL that is not wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from benchmarks import bare
from benchmarks.increments import new_polls
from loaders.landing import Landing
from tests.support.histories import Landed, _uuid, land

#: When the posts went out; nobody polls what is still to come.
AT = datetime(2026, 3, 1, tzinfo=UTC)


def landed(folder: Path, polls: list[dict[str, Any]], source: str = "demo") -> Landing:
    landing = Landing(str(folder / "landing"))
    landing.prepare()
    posts = [
        {"post_id": _uuid("post", number), "platform": "tiktok", "external_post_id": f"x{number}",
         "published_at": AT}
        for number in range(50)
    ]  # fmt: skip
    for table, rows in (("published_posts", posts), ("performance_metrics", polls)):
        known = [AT + timedelta(days=9, seconds=number) for number in range(len(rows))]
        land(landing, Landed(source, table, rows, known, AT + timedelta(days=10)))
    return landing


def poll(post: int, hours: float, views: int) -> dict[str, Any]:
    at = AT + timedelta(hours=hours)
    return {"post_id": _uuid("post", post), "views": views, "collected_at": at}


def test_new_polls_are_the_next_ones_of_posts_that_were_polled_last(tmp_path: Path) -> None:
    # Post n was polled last at hour 2n; those of the last two days are left out.
    polls = [poll(post, 2 * post - ago, 100) for post in range(50) for ago in (0, 1)]
    landed(tmp_path, polls)
    found = {}
    for turn, share in enumerate((0.0001, 0.05)):
        file = tmp_path / f"{turn}.csv"
        written = new_polls(tmp_path / "landing", share, turn, file)
        found[turn] = pl.read_csv(file, try_parse_dates=True).rows(named=True)
        assert len(found[turn]) == written
    assert {turn: len(rows) for turn, rows in found.items()} == {0: 1, 1: 5}
    assert [row["post_id"] for row in found[1]] == [_uuid("post", n) for n in (24, 23, 22, 21, 20)]
    [first], again = found[0], found[1][0]
    assert first["post_id"] == again["post_id"]
    assert first["collected_at"] == AT + timedelta(hours=2 * 24 + 1)
    assert again["collected_at"] == AT + timedelta(hours=2 * 24 + 2)
    assert first["views"] == 102


def test_bare_sql_knows_corrections_maxima_and_what_lies_around_an_age(tmp_path: Path) -> None:
    polls = [poll(1, 5, 10), poll(1, 5, 40), poll(1, 8, 30), poll(1, 30, 90), poll(99, 5, 1)]
    landed(tmp_path, polls)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set variable landing = ?", [str(tmp_path / "landing")])
        connection.execute(bare.SQL.read_text("utf-8"))
        history = connection.execute(
            "select views, views_mono, views_delta, gap_seconds from history order by collected_at"
        ).fetchall()
        ages = connection.execute(
            "select hours, views_before, views_after from ages order by hours"
        ).fetchall()
        latest = connection.execute("select views from latest").fetchall()
    assert history == [(40, 40, None, None), (30, 40, -10, 10800), (90, 90, 60, 79200)]
    assert ages == [(1, None, 40), (6, 40, 40), (24, 40, 90), (72, 90, None), (168, 90, None)]
    assert latest == [(90,)]
