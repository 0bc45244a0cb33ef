"""Growth per day is added up; growth taken for totals is noticed."""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from common.errors import UsageError
from loaders.files import FileResult, load_files
from loaders.files import increments as module
from loaders.landing import Landing
from loaders.retry import retry_rejected

Day = tuple[str, str, Any]
DAYS: list[Day] = [("a", "10", 500), ("a", "11", 120), ("a", "12", 90), ("a", "13", 40)]
TOTALS = {"11": 500, "12": 620, "13": 710, "14": 750}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def record(post: str, day: str, views: Any, **more: Any) -> dict[str, Any]:
    when = f"2026-10-{day}" if len(day) == 2 else day
    key = {"platform": "youtube", "external_post_id": post}
    return {**key, "views": views, "collected_at": when, **more}


def load(landing: Landing, tmp_path: Path, records: list[Any], **how: Any) -> FileResult:
    path = tmp_path / f"{random.random()}.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    options: dict[str, Any] = {"table": "performance_metrics", "increments": True} | how
    (result,) = load_files(landing, [path], **options)
    assert result.read == result.landed + result.rejected
    return result


def newest(landing: Landing, column: str = "views", post: str = "a") -> dict[str, Any]:
    """Day of October to the total that is known last, as the models choose."""
    rows = pl.concat([pl.read_parquet(load.file) for load in landing.loads()])
    rows = rows.filter(pl.col("external_post_id") == post)
    rows = rows.sort("_extracted_at", "_load_id", "_position")
    rows = rows.unique("collected_at", keep="last", maintain_order=True).sort("collected_at")
    return {f"{at:%d}": value for at, value in rows.select("collected_at", column).rows()}


def reasons(landing: Landing) -> list[str]:
    return [one.reason for one in landing.rejected()]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_growth_is_added_up_in_order_of_time(
    landing: Landing, tmp_path: Path, order: tuple[int, ...]
) -> None:
    result = load(landing, tmp_path, [record(*DAYS[i]) for i in order])
    assert (result.landed, result.rejected) == (4, 0)
    assert newest(landing) == TOTALS
    assert result.notices == (
        "The growth of 1 post was added up from 2026-10-10 on, a day's at its end.",
        "Totals begin at 0 there: what a post had gained before is not in them.",
    )
    rows = pl.read_parquet(landing.loads()[0].file)
    kept = [json.loads(extra)["_increments"] for extra in rows["_extra"]]
    assert sorted(one["views"] for one in kept) == [40, 90, 120, 500]
    assert {one["collected_at"] for one in kept} >= {"2026-10-10T00:00:00+00:00"}


@pytest.mark.parametrize("seed", range(12))
def test_how_the_days_are_cut_into_files_changes_nothing(
    landing: Landing, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    days = [("a", f"{day:02}", chance.randrange(-5, 100)) for day in range(1, 20)]
    whole = {f"{int(d) + 1:02}": sum(v for _, e, v in days if e <= d) for _, d, _ in days}
    files = []
    for _ in range(4):  # overlapping exports, each of some weeks
        start = chance.randrange(0, 15)
        files.append(days[start : start + chance.randrange(2, 12)])
    files.append([day for day in days if not any(day in file for file in files)])
    chance.shuffle(files)
    for file in files:
        if file:
            chance.shuffle(file)
            load(landing, tmp_path, [record(*day) for day in file])
    assert newest(landing) == whole


def test_a_newer_export_corrects_a_day_and_all_after_it(landing: Landing, tmp_path: Path) -> None:
    load(landing, tmp_path, [record(*day) for day in DAYS])
    result = load(landing, tmp_path, [record("a", "11", 125)])
    assert newest(landing) == {"11": 500, "12": 625, "13": 715, "14": 755}
    assert "2 rows landed before follow with their new totals." in result.notices
    # What follows goes on from the correction, not from what it replaced.
    load(landing, tmp_path, [record("a", "14", 1)])
    assert newest(landing).popitem() == ("15", 756)
    # Other posts, and totals that were landed as such, are left alone.
    load(landing, tmp_path, [record("b", "11", 1)])
    load(landing, tmp_path, [record("c", "10", 1000)], increments=False)
    load(landing, tmp_path, [record("c", "11", 5)])
    assert newest(landing, post="b") == {"12": 1}
    assert newest(landing, post="c") == {"10": 1000, "12": 5}
    assert newest(landing).popitem() == ("15", 756)


def test_several_files_of_one_call_continue_each_other(landing: Landing, tmp_path: Path) -> None:
    paths = []
    for name, part in (("b", DAYS[2:]), ("a", DAYS[:3])):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps([record(*day) for day in part]))
    load_files(landing, paths, table="performance_metrics", increments=True)
    assert newest(landing) == TOTALS


def test_times_of_day_stay_as_they_are(landing: Landing, tmp_path: Path) -> None:
    times = [("a", "2026-10-10T05:00:00Z", 1), ("a", "2026-10-11T00:00:00Z", 2)]
    result = load(landing, tmp_path, [record(*one) for one in times])
    rows = pl.read_parquet(landing.loads()[0].file)
    assert rows["collected_at"].to_list() == [
        datetime(2026, 10, 10, 5, tzinfo=UTC), datetime(2026, 10, 11, tzinfo=UTC),
    ]  # fmt: skip
    assert "end" not in result.notices[0]


def test_a_day_ends_in_its_zone(landing: Landing, tmp_path: Path) -> None:
    # The clocks go back on the 25th: that day has 25 hours.
    result = load(landing, tmp_path, [record("a", "25", 1)], time_zone="Europe/Berlin")
    (row,) = pl.read_parquet(landing.loads()[0].file).to_dicts()
    assert row["collected_at"] == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert "2026-10-25" in result.notices[0]


def test_each_count_is_added_up_under_either_name(landing: Landing, tmp_path: Path) -> None:
    counts = {"view_count": 1, "Likes": 2, "comments": 3, "share_count": 4, "watch_time_ms": 2.5}
    records = [{**record("a", day, None), **counts, "completion_rate": 0.5} for day in ("10", "11")]
    load(landing, tmp_path, records)
    names = ("views", "likes", "comments", "shares", "watch_time_ms", "completion_rate")
    rows = pl.read_parquet(landing.loads()[0].file)
    assert rows.select(names).rows() == [(1, 2, 3, 4, 2.5, 0.5), (2, 4, 6, 8, 5.0, 0.5)]
    assert rows["view_count"].null_count() == 2


def test_a_sum_of_what_is_unknown_is_unknown(landing: Landing, tmp_path: Path) -> None:
    days = [("a", "10", 5), ("a", "11", None), ("a", "12", 7)]
    result = load(landing, tmp_path, [record(*day, likes=1) for day in days])
    assert newest(landing) == {"11": 5, "12": None, "13": None}
    assert newest(landing, "likes") == {"11": 1, "12": 2, "13": 3}
    assert [n for n in result.notices if n.startswith("2 totals are unknown")]


def test_negative_growth_is_said(landing: Landing, tmp_path: Path) -> None:
    days = [("a", "10", 5), ("a", "11", -2)]
    result = load(landing, tmp_path, [record(*day) for day in days])
    assert newest(landing) == {"11": 5, "12": 3}
    assert "1 value is negative, so that totals fall there." in result.notices


def test_what_cannot_be_added_up_is_refused(landing: Landing, tmp_path: Path) -> None:
    records = [
        record("a", "10", 5), {**record("a", "11", 6), "external_post_id": " "},
        {"views": 3, "collected_at": "2026-10-10"}, {**record("a", "12", 7), "collected_at": None},
        record("b", "10", 1), record("b", "10", 2), record("b", "11", 3),
        record("c", "10", 1), record("c", "10", 1), record("a", "13", "x"),
    ]  # fmt: skip
    result = load(landing, tmp_path, records)
    assert (result.landed, result.rejected, result.exit_code) == (3, 7, 0)
    told = reasons(landing)
    assert sum("say whose growth this is" in reason for reason in told) == 2
    assert sum("collected_at is missing" in reason for reason in told) == 1
    # Which of the two rows of a day is right cannot be told, so nothing behind it can.
    assert sum("rows of one time that differ" in reason for reason in told) == 3
    assert newest(landing, post="c") == {"11": 1}
    # Alone, a record's growth would be taken for a total.
    assert retry_rejected(landing) == []


def test_a_sum_is_never_wrapped(landing: Landing, tmp_path: Path) -> None:
    days = [("a", "10", 2**63 - 1), ("a", "11", 2**63 - 1)]
    load(landing, tmp_path, [record(*day) for day in days])
    assert set(newest(landing).values()) == {10**16 + 1}  # held back by the build


def test_too_many_rows_are_refused(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    path = tmp_path / "a.json"
    path.write_text(json.dumps([record(*day) for day in DAYS]))
    (result,) = load_files(landing, [path], table="performance_metrics", increments=True)
    assert (result.status, result.exit_code) == ("failed", 1)
    assert "Split the file by post" in result.message


@pytest.mark.parametrize("how", [{"table": "raw_videos"}, {"preset": "apify-tiktok"}])
def test_growth_is_of_polls_alone(landing: Landing, how: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"--increments .* for performance_metrics alone"):
        load_files(landing, ["x.csv"], increments=True, **how)


def test_a_dry_run_adds_up_and_lands_nothing(landing: Landing, tmp_path: Path) -> None:
    result = load(landing, tmp_path, [record(*day) for day in DAYS], dry_run=True)
    assert (result.status, result.landed) == ("dry_run", 4)
    assert "was added up" in result.notices[0]
    assert not (tmp_path / "landing").exists()


def test_growth_taken_for_totals_is_noticed(landing: Landing, tmp_path: Path) -> None:
    (said,) = load(landing, tmp_path, [record(*day) for day in DAYS], increments=False).notices
    assert "views fall in 3 of 3 steps" in said
    assert "--increments" in said


@pytest.mark.parametrize(
    "views",
    [
        [1, 2, 3, 4, 5, 6], [5, 5, 5, 5], [10, 9, 10, 11, 12, 13, 14, 15, 16], [3, 2], [3, 2, 4],
        [9, 8, None, 9, 10, 11, 12, 13, 14, 15],
    ],
)  # fmt: skip
def test_totals_are_not_taken_for_growth(
    landing: Landing, tmp_path: Path, views: list[int | None]
) -> None:
    records = [record("a", f"{10 + i}", view) for i, view in enumerate(views)]
    # Posts one after the other, each beginning low, are no falls.
    records.append(record("b", "30", 0))
    assert load(landing, tmp_path, records, increments=False).notices == ()


def test_means_of_days_become_the_mean_of_all_of_them(landing: Landing, tmp_path: Path) -> None:
    given = [
        (10, 8.0, 100, 0.1, 60),
        (30, 4.0, 0, None, 50),
        (0, None, 300, 0.02, 0),
        (40, 9, 1, None, 1),
    ]
    rows = [
        record("a", str(10 + n), views, average_watch_seconds=seconds, impressions=shown,
               click_through_rate=rate, reach=people, followers_gained=-n)
        for n, (views, seconds, shown, rate, people) in enumerate(given)
    ]  # fmt: skip
    load(landing, tmp_path, rows[1:])
    result = load(landing, tmp_path, rows[:1])
    assert "to what had landed before." in result.notices[0]
    assert newest(landing, "average_watch_seconds") == {"11": 8, "12": 5, "13": 5, "14": 7}
    # Impressions without a rate: from then on it is unknown.
    rates = newest(landing, "click_through_rate")
    assert rates == {"11": 0.1, "12": 0.1, "13": pytest.approx(16 / 400), "14": None}
    assert newest(landing, "impressions") == {"11": 100, "12": 100, "13": 400, "14": 401}
    assert newest(landing, "followers_gained") == {"11": 0, "12": -1, "13": -3, "14": -6}
    # Whom a day reached may be whom the day before did.
    assert set(newest(landing, "reach").values()) == {None}
    kept = [
        json.loads(one)["_increments"] for one in pl.read_parquet(landing.loads()[0].file)["_extra"]
    ]
    assert {one["reach"] for one in kept} == {50, 0, 1}
