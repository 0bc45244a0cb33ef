"""Exports of one's own account (made by hand): TikTok Studio, YouTube Studio, Meta."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import FileResult, load_files
from loaders.files.plan import Plan
from loaders.landing import Landing
from loaders.presets import PRESETS, PresetRecord
from loaders.retry import retry_rejected

POSTS = "published_posts"
LINK = "https://www.tiktok.com/@lampshop/video/7361111111111111111"
TIKTOK = {
    "Video title": "Desk lamp", "Video link": LINK, "Post time": "2026-03-02 19:05:00",
    "Total likes": "1.2K", "Total comments": "48", "Total shares": "", "Total views": "18,400",
    "Average watch time": "11.5",
}  # fmt: skip
YOUTUBE = {
    "Content": "a1b2c3d4e5F", "Video title": "Desk lamp", "Video publish time": "Mar 2, 2026",
    "Duration": "17", "Views": "1556", "Watch time (hours)": "1.5", "Likes": "67",
    "Comments added": "5", "Shares": "1", "Impressions": "96",
}  # fmt: skip
META = {
    "Post ID": "17890000000000001", "Account username": "lampshop", "Description": "Desk lamp",
    "Publish time": "03/02/2026 19:05", "Permalink": "https://www.instagram.com/reel/AbCdEfGhIjK/",
    "Post type": "IG reel", "Date": "Lifetime", "Views": "900", "Reach": "800", "Likes": "30",
    "Shares": "4", "Comments": "2", "Saves": "7",
}  # fmt: skip
ROWS = {"tiktok-studio": TIKTOK, "youtube-studio": YOUTUBE, "meta-business-suite": META}
WRITTEN = datetime(2026, 4, 1, 12, tzinfo=UTC)


class Account:
    """A folder with an export in it, and what became of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.landing = Landing(path / "landing")

    def load(self, preset: str, *rows: dict[str, Any], **options: Any) -> list[FileResult]:
        file = self.path / "export.csv"
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        os.utime(file, (WRITTEN.timestamp(), WRITTEN.timestamp()))
        return load_files(self.landing, [file], preset=preset, **options)

    def rows(self, table: str) -> list[dict[str, Any]]:
        loads = self.landing.loads("files", table)
        return pl.concat(pl.read_parquet(load.file) for load in loads).to_dicts() if loads else []

    def published(self, preset: str, time: str, **options: Any) -> datetime | str:
        """When the post was published, or why it was refused."""
        column = {"tiktok-studio": "Post time", "youtube-studio": "Video publish time"}
        row = ROWS[preset] | {column.get(preset, "Publish time"): time}
        (result,) = self.load(preset, row, table=POSTS, **options)
        if result.status == "failed":
            return result.message
        if result.rejected:
            return self.landing.rejected()[0].reason
        found: datetime = self.rows(POSTS)[0]["published_at"]
        return found


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def records(preset: str, row: dict[str, Any]) -> list[PresetRecord]:
    return list(PRESETS[preset].records(row))


@pytest.mark.parametrize(
    ("preset", "poll", "post"),
    [
        (
            "tiktok-studio",
            {"platform": "tiktok", "external_post_id": "7361111111111111111",
             "views": 18400, "likes": 1200, "comments": 48, "shares": None},
            datetime(2026, 3, 2, 19, 5, tzinfo=UTC),
        ),
        (
            "youtube-studio",
            {"platform": "youtube", "external_post_id": "a1b2c3d4e5F", "views": 1556,
             "likes": 67, "comments": 5, "shares": 1, "watch_time_ms": 5_400_000.0},
            datetime(2026, 3, 2, tzinfo=UTC),
        ),
        (
            "meta-business-suite",
            {"platform": "instagram", "external_post_id": "17890000000000001",
             "views": 900, "likes": 30, "comments": 2, "shares": 4},
            datetime(2026, 3, 2, 19, 5, tzinfo=UTC),
        ),
    ],
)  # fmt: skip
def test_a_row_is_a_poll_and_when_asked_for_a_post(
    account: Account, preset: str, poll: dict[str, Any], post: datetime
) -> None:
    (result,) = account.load(preset, ROWS[preset])
    assert (result.source, result.resource) == ("files", "performance_metrics")
    assert (result.accepted, result.rejected) == (1, 0)
    assert any("Add --adopt NAME" in notice for notice in result.notices)
    (row,) = account.rows("performance_metrics")
    assert {name: row[name] for name in poll} == poll
    assert (row["collected_at"], row["_extracted_at"]) == (None, WRITTEN)

    (result,) = account.load(preset, ROWS[preset], table=POSTS)
    assert not any("Only the polls" in notice for notice in result.notices)
    assert any("--time-zone" in notice for notice in result.notices)
    (row,) = account.rows(POSTS)
    expected = {"platform": poll["platform"], "external_post_id": poll["external_post_id"],
                "caption": "Desk lamp", "published_at": post}  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_counts_so_far_of_youtube_are_said_to_depend_on_the_period(account: Account) -> None:
    (result,) = account.load("youtube-studio", YOUTUBE)
    assert "right only if that was Lifetime" in result.notices[0]


@pytest.mark.parametrize(
    ("folder", "published", "accepted"),
    [
        ("Content 2026-03-01_2026-03-29 Lamp shop", "Mar 2, 2026", 1),
        ("Content 2026-03-02_2026-03-29 Lamp shop", "Mar 2, 2026", 1),
        ("Content 2026-03-03_2026-03-29 Lamp shop", "Mar 2, 2026", 0),
        ("Content 2026-03-03_2026-03-29 Lamp shop", "2. Maerz", 0),
        ("Content 2026-03-03_2026-03-29 Lamp shop", "", 1),
        ("Lamp shop", "Mar 2, 2006", 1),
    ],
)
def test_counts_of_a_period_are_those_so_far_of_videos_from_it(
    tmp_path: Path, folder: str, published: str, accepted: int
) -> None:
    (tmp_path / folder).mkdir()
    account = Account(tmp_path / folder)
    (result,) = account.load("youtube-studio", YOUTUBE | {"Video publish time": published})
    assert (result.accepted, result.rejected) == (accepted, 1 - accepted)
    if not accepted:
        assert "Export it for Lifetime" in account.landing.rejected()[0].reason
        assert retry_rejected(account.landing) == []


@pytest.mark.parametrize(
    ("preset", "changes", "reason"),
    [
        ("tiktok-studio", {"Video link": ""}, "The field Video link is missing"),
        ("tiktok-studio", {"Video link": "https://vm.tiktok.com/ZMabc/"}, "a short link"),
        ("tiktok-studio", {"Video link": "https://www.tiktok.com/@lampshop"}, "it has no id"),
        ("tiktok-studio", {"Video link": "https://youtu.be/a1b2c3d4e5F"}, "is of youtube, not of"),
        ("tiktok-studio", {"Video link": "lamp"}, "has no id of a TikTok post in it"),
        ("tiktok-studio", {"Video link": "N/A"}, "The field Video link is empty"),
        ("tiktok-studio", {"Video link": "7.36E+18"}, "spoilt by a spreadsheet"),
        ("tiktok-studio", {"Total views": "", "Total likes": " ", "Total comments": ""},
         "carries no views"),
        ("tiktok-studio", dict.fromkeys([n for n in TIKTOK if "Total" in n], "N/A"),
         "carries no views"),
        ("tiktok-studio", {None: ["x"]}, "more fields than the header"),
        ("youtube-studio", {"Content": "Total"}, "the table's row of totals, not a video"),
        ("youtube-studio", {"Content": "PLabcdefghijklmnop"}, "which has 11 characters"),
        ("youtube-studio", {"Content": "#NAME?"}, "spoilt by a spreadsheet"),
        ("meta-business-suite", {"Post ID": "1.789E+16"}, "spoilt by a spreadsheet"),
        ("meta-business-suite", {"Post ID": "AbCdEfGhIjK"}, "which has digits"),
        ("meta-business-suite", {"Permalink": "https://www.facebook.com/1"}, "a Facebook page"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_poll_is_refused(
    preset: str, changes: dict[str, Any], reason: str
) -> None:
    poll = records(preset, ROWS[preset] | changes)[0]
    assert (poll.resource, poll.meant) == (None, "performance_metrics")
    assert reason in poll.reason


@pytest.mark.parametrize(
    ("link", "post"),
    [
        (LINK + "?lang=en", "7361111111111111111"), (LINK + "/", "7361111111111111111"),
        ("https://www.tiktok.com/@a/photo/7361111111111111112#x", "7361111111111111112"),
        ("https://www.tiktokv.com/share/video/7361111111111111113/", "7361111111111111113"),
        ("7361111111111111114", "7361111111111111114"),
        ('="7361111111111111115"', "7361111111111111115"),
        ("www.tiktok.com/@a/video/7361111111111111116", "7361111111111111116"),
    ],
)  # fmt: skip
def test_the_id_is_in_the_link(link: str, post: str) -> None:
    poll, _ = records("tiktok-studio", TIKTOK | {"Video link": link})
    assert poll.values["external_post_id"] == post


def test_a_count_that_is_not_available_is_unknown_beside_others(account: Account) -> None:
    (result,) = account.load("tiktok-studio", TIKTOK | {"Total views": "N/A"})
    (row,) = account.rows("performance_metrics")
    assert (row["views"], row["likes"]) == (None, 1200)
    assert "1 value was read as unknown: 'N/A'." in result.notices


def test_columns_go_by_their_names_in_any_case_and_of_two_the_surer_counts() -> None:
    poll, post = records(
        "tiktok-studio",
        {
            "VIDEO  LINK": LINK,
            "views": "7",
            "Total Views": "9",
            "video title": "x",
            "Post Time": "",
        },
    )
    assert poll.values["views"] == "9"
    assert poll.extra == {"views": "7", "video title": "x"}
    assert post.values["caption"] == "x"
    assert "published_at" not in post.values


@pytest.mark.parametrize(
    ("preset", "columns", "says"),
    [
        ("tiktok-studio", ["Date", "Video Views", "Likes", "Shares"], "no posts (TikTok Studio's"),
        ("tiktok-studio", ["Date", "Followers"], "figures of the account by day"),
        ("tiktok-studio", ["Videotitel", "Videolink", "Aufrufe"], "Video link, Post time, Total"),
        ("tiktok-studio", ["Video title", "Video link"], "Video link, Post time, Total"),
        ("tiktok-studio", list(META), "looks like what --preset meta-business-suite reads"),
        ("tiktok-studio", ["Post ID", "Views"], "Video link, Post time, Total"),
        ("meta-business-suite", ["Post ID", "Views"], "with the suite in English"),
        ("youtube-studio", ["Date", "Content", "Video title", "Views"], "--increments"),
        ("youtube-studio", ["Date", "Views"], "totals by day and no videos"),
        ("youtube-studio", ["Traffic source", "Views"], "Choose the tab Content"),
        ("youtube-studio", ["Inhalte", "Videotitel", "Aufrufe"], "Studio in English"),
        ("meta-business-suite", ["Post ID", "Page ID", "Page name", "Views"], "a Facebook page"),
        ("meta-business-suite", ["Beitrags-ID", "Aufrufe"], "with the suite in English"),
        ("meta-business-suite", ["Post ID", "Permalink"], "with the suite in English"),
    ],
)  # fmt: skip
def test_a_file_of_other_columns_is_refused_as_a_whole(
    account: Account, preset: str, columns: list[str], says: str
) -> None:
    (result,) = account.load(preset, dict.fromkeys(columns, "1"))
    assert (result.status, result.exit_code) == ("failed", 2)
    assert "/export.csv " in result.message
    assert says in result.message
    assert account.landing.loads() == []


def test_an_export_that_fits_no_table_is_told_its_preset(account: Account) -> None:
    for preset, row in ROWS.items():
        file = account.path / f"{preset}.csv"
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, list(row))
            writer.writeheader()
            writer.writerow(row)
        (result,) = load_files(account.landing, [file], table="scripts")
        assert f"--preset {preset}" in result.message


def test_counts_of_a_day_refuse_the_file(account: Account) -> None:
    (result,) = account.load("meta-business-suite", META, META | {"Date": "03/02/2026"})
    assert (result.status, result.exit_code) == ("failed", 2)
    assert "counts of a day (03/02/2026)" in result.message
    assert "Lifetime" in result.message
    assert account.landing.loads() == []


@pytest.mark.parametrize(
    ("preset", "time", "expected"),
    [
        ("tiktok-studio", "2026-03-02", datetime(2026, 3, 2)),
        ("tiktok-studio", "2026-03-02T19:05:00+02:00", datetime(2026, 3, 2, 17, 5)),
        # Written on the first of April 2026: the last such day, never one to come.
        ("tiktok-studio", "March 31", datetime(2026, 3, 31)),
        ("tiktok-studio", "April 1", datetime(2026, 4, 1)),
        ("tiktok-studio", "October 30", datetime(2025, 10, 30)),
        ("tiktok-studio", "Feb 29", datetime(2024, 2, 29)),
        ("tiktok-studio", "Sept. 3, 7:05 PM", datetime(2025, 9, 3, 19, 5)),
        ("youtube-studio", "Oct 14, 2024", datetime(2024, 10, 14)),
        ("youtube-studio", "14 Oct 2024", datetime(2024, 10, 14)),
        ("youtube-studio", "Oct 14, 2024, 12:30 AM", datetime(2024, 10, 14, 0, 30)),
        ("meta-business-suite", "12/01/2025 07:30", datetime(2025, 12, 1, 7, 30)),
        ("meta-business-suite", "12/1/2025", datetime(2025, 12, 1)),
    ],
)
def test_times_of_publication(account: Account, preset: str, time: str, expected: datetime) -> None:
    assert account.published(preset, time) == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "time", "options", "says"),
    [
        ("tiktok-studio", "30. Oktober", {}, "names no month in English"),
        ("tiktok-studio", "03/02/2026", {}, "say how it is written with --time-format"),
        ("tiktok-studio", "Feb 30", {}, "is no day of a year"),
        ("tiktok-studio", "March 31", {"backfill": True}, "leave --backfill out"),
        ("youtube-studio", "Feb 29, 2023", {}, "is no day of a year"),
        ("youtube-studio", "Oct 14, 2024, 13:30 PM", {}, "no time of a day"),
        ("youtube-studio", "Oct 14, 2024, 25:30", {}, "is not a possible time"),
        ("meta-business-suite", "12/32/2025 07:30", {}, "is not a possible time"),
        ("meta-business-suite", "31/12/2025 07:30", {}, "--time-format '%d/%m/%Y %H:%M'"),
    ],
)
def test_a_time_that_could_be_another_is_refused(
    account: Account, preset: str, time: str, options: dict[str, Any], says: str
) -> None:
    assert says in str(account.published(preset, time, **options))


def test_zone_and_format_are_those_that_are_given(account: Account) -> None:
    zone = {"time_zone": "Asia/Tokyo"}
    tokyo = timedelta(hours=9)
    assert (
        account.published(
            "meta-business-suite", "31/12/2025 07:30", time_format="%d/%m/%Y %H:%M", **zone
        )
        == datetime(2025, 12, 31, 7, 30, tzinfo=UTC) - tokyo
    )


def test_the_last_such_day_is_that_of_the_zone(account: Account) -> None:
    """It is the second of April in Kiritimati when the file is written."""
    assert account.published(
        "tiktok-studio", "April 2", time_zone="Pacific/Kiritimati"
    ) == datetime(2026, 4, 2, tzinfo=UTC) - timedelta(hours=14)


def test_a_refused_post_is_no_poll_to_recover(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "wanted", ("performance_metrics", POSTS))
    posts, polls = account.load("tiktok-studio", TIKTOK | {"Post time": "03/02/2026"})
    assert [(polls.accepted, polls.rejected), (posts.accepted, posts.rejected)] == [(1, 0), (0, 1)]
    assert "--time-format" in account.landing.rejected()[0].reason
    assert retry_rejected(account.landing) == []
