"""The YouTube Analytics API against a fake of it: daily growth becomes polls with totals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.landing import Landing
from loaders.live.known import known_posts
from loaders.live.run import LiveResult, load_live
from loaders.live.youtube import analytics as module
from loaders.live.youtube.analytics import YouTubeAnalytics
from loaders.live.youtube.videos import YouTube
from tests.fakes.server import Reply
from tests.fakes.youtube import (
    CLIENT,
    HANDLE,
    KEY,
    PACIFIC,
    REFRESH,
    SECRET,
    FakeYouTube,
    error,
    gained,
    videos,
)
from tests.support.waits import no_waits  # noqa: F401

NOW = datetime.now(UTC).replace(microsecond=0)
COUNTS = ("views", "likes", "comments", "shares", "impressions")


@pytest.fixture
def fake() -> Iterator[FakeYouTube]:
    with FakeYouTube(own=videos(60, NOW, prefix="own", channel="My shop"), now=NOW) as started:
        assert isinstance(started, FakeYouTube)
        yield started


@pytest.fixture
def home(fake: FakeYouTube, tmp_path: Path) -> Path:
    """A warehouse that knows the channel's posts."""
    youtube = YouTube(KEY, Landing(tmp_path / "landing"), fake.url, channels=(HANDLE,))
    load_live(Landing(tmp_path / "landing"), tmp_path, youtube, adopt="My shop")
    fake.requests.clear()
    return tmp_path


def source(fake: FakeYouTube, home: Path, **other: Any) -> YouTubeAnalytics:
    given: dict[str, Any] = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "refresh_token": REFRESH,
        "tokens_file": home / "live" / "youtube" / "tokens.json",
        "landing": Landing(home / "landing"),
        "base": fake.url,
    }
    made = YouTubeAnalytics(**given | other)
    made.per_second = 1000.0
    return made


def run(fake: FakeYouTube, home: Path, **other: Any) -> LiveResult:
    return load_live(Landing(home / "landing"), home, source(fake, home, **other))


def landed(home: Path) -> pl.DataFrame:
    """Every row of growth, in the order in which it became known."""
    files = sorted((home / "landing/youtube/performance_metrics").glob("0*.parquet"))
    rows = pl.concat(map(pl.read_parquet, files))
    rows = rows.filter(pl.col("_extra").str.contains("_increments"))
    return rows.sort("_extracted_at", "_load_id", "_position")


def totals(home: Path) -> dict[tuple[str, date], tuple[Any, ...]]:
    """What counts of each video and day: the newest word."""
    rows = landed(home).unique(["external_post_id", "collected_at"], keep="last")
    names = [*COUNTS, "watch_time_ms", "followers_gained"]
    return {
        (row["external_post_id"], day_of(row["collected_at"])): tuple(row[name] for name in names)
        for row in rows.iter_rows(named=True)
    }


def day_of(at: datetime) -> date:
    """The day of California that ends then."""
    there = at.astimezone(PACIFIC)
    assert (there.hour, there.minute) == (0, 0)
    return there.date() - timedelta(days=1)


def expected(fake: FakeYouTube) -> dict[tuple[str, date], tuple[Any, ...]]:
    """The same, added up here."""
    found = {}
    for video in fake.own:
        sums = [0] * 7
        day = datetime.fromisoformat(video["publishedAt"]).astimezone(PACIFIC).date()
        while (since := fake.now - ended(day)) >= timedelta(days=2):
            row = gained(video, day, whole=since >= timedelta(days=3))
            if row is not None and not video.get("gone"):
                counts = (*(row[name] for name in COUNTS[:4]), row["videoThumbnailImpressions"])
                more = row["estimatedMinutesWatched"] * 60_000
                won = row["subscribersGained"] - row["subscribersLost"]
                sums = [a + b for a, b in zip(sums, (*counts, more, won), strict=True)]
                found[video["id"], day] = tuple(sums)
            day += timedelta(days=1)
    return found


def ended(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), PACIFIC)


def reports(fake: FakeYouTube) -> list[dict[str, str]]:
    return [one.query for one in fake.asked("/v2/reports")]


def test_daily_growth_lands_as_totals_at_the_ends_of_days(fake: FakeYouTube, home: Path) -> None:
    result = run(fake, home)
    (part,) = result.resources
    assert (result.error, part.resource, part.read, part.rejected) == (
        "", "performance_metrics", len(expected(fake)), 0,
    )  # fmt: skip
    assert totals(home) == expected(fake)
    assert len(expected(fake)) > 150
    # One token, one report of all videos, and the page behind it, which has no rows.
    assert [one.path for one in fake.requests] == ["/token", "/v2/reports", "/v2/reports"]
    first = datetime.fromisoformat(fake.own[0]["publishedAt"]).astimezone(PACIFIC).date()
    yesterday = NOW.astimezone(PACIFIC).date() - timedelta(days=1)
    asked = reports(fake)[0]
    assert (asked["startDate"], asked["endDate"]) == (first.isoformat(), yesterday.isoformat())


def test_means_are_those_of_all_days_and_the_rest_is_kept(fake: FakeYouTube, home: Path) -> None:
    run(fake, home)
    video = fake.own[20]
    row = landed(home).filter(pl.col("external_post_id") == video["id"]).row(2, named=True)
    first = datetime.fromisoformat(video["publishedAt"]).astimezone(PACIFIC).date()
    days = [gained(video, first + timedelta(days=n)) for n in range(3)]
    known = [one for one in days if one is not None]
    views = [one["views"] for one in known]
    seconds = [one["averageViewDuration"] for one in known]
    assert (len(known), seconds) == (3, [8, 9, 10])
    mean = sum(a * b for a, b in zip(views, seconds, strict=True)) / sum(views)
    assert row["average_watch_seconds"] == pytest.approx(mean)
    shown = [2 * one for one in views]
    clicks = 0.08 * shown[0] + 0.04 * shown[1] + 0.04 * shown[2]
    assert row["click_through_rate"] == pytest.approx(clicks / sum(shown))
    extra = json.loads(row["_extra"])
    assert (extra["averageViewPercentage"], extra["engagedViews"]) == (61.5, views[2] // 2)


def test_the_newest_days_are_asked_for_until_they_are_whole(fake: FakeYouTube, home: Path) -> None:
    run(fake, home)
    before = totals(home)
    fake.now += timedelta(days=1)
    asked = len(reports(fake))
    result = run(fake, home)
    assert totals(home) == expected(fake)
    changed = [key for key, value in before.items() if totals(home)[key] != value]
    assert len({day for _, day in changed}) == 1
    newest = max(day for _, day in before)
    again = [query["startDate"] for query in reports(fake)[asked:]]
    assert min(again) < (newest - timedelta(days=3)).isoformat()
    # Known to the video: what it gained before does not have to be asked for again.
    assert "to what had landed before" in result.resources[0].notices[0]
    third = run(fake, home)
    assert totals(home) == expected(fake)
    assert third.error == ""


def test_a_video_that_became_known_later_is_asked_from_its_first_day(
    fake: FakeYouTube, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = known_posts(Landing(home / "landing"), "youtube")
    monkeypatch.setattr(module, "known_posts", lambda *_: known[30:])
    run(fake, home)
    monkeypatch.undo()
    run(fake, home)
    assert totals(home) == expected(fake)


def test_short_pages_are_walked_by_their_place(fake: FakeYouTube, home: Path) -> None:
    fake.rows_of_page = 37
    run(fake, home)
    assert totals(home) == expected(fake)
    assert landed(home).height == len(expected(fake))
    starts = [int(query["startIndex"]) for query in reports(fake)]
    assert starts == [1 + 37 * n for n in range(len(starts) - 1)] + [len(expected(fake)) + 1]


def test_rows_of_deleted_videos_are_left_out_and_counted(fake: FakeYouTube, home: Path) -> None:
    for video in fake.own[3:5]:
        video["gone"] = True
    result = run(fake, home)
    assert totals(home) == expected(fake)
    assert [one.rejected for one in result.resources] == [0]
    (note,) = result.notes
    assert note.endswith("rows of deleted videos were left out.")
    assert int(note.split()[0]) > 2


def test_reports_without_reach_land_without_it(fake: FakeYouTube, home: Path) -> None:
    fake.unsupported = ("videoThumbnailImpressions",)
    result = run(fake, home)
    assert result.notes == ("YouTube gave no impressions and click-through rates with them.",)
    without = {key: (*row[:4], None, *row[5:]) for key, row in expected(fake).items()}
    assert totals(home) == without
    assert [("Thumbnail" in one["metrics"]) for one in reports(fake)] == [True, False, False]


@pytest.mark.parametrize("reach", [True, False])
def test_where_reports_are_of_one_video_each_is_asked_for(
    fake: FakeYouTube, home: Path, reach: bool
) -> None:
    fake.by_video = False
    fake.unsupported = () if reach else ("videoThumbnailImpressions",)
    result = run(fake, home)
    assert result.error == ""
    assert {key: row[:4] for key, row in totals(home).items()} == {
        key: row[:4] for key, row in expected(fake).items()
    }
    assert {one["dimensions"] for one in reports(fake)[2:]} == {"day"}


def test_a_video_of_another_channel_keeps_no_other_from_landing(
    fake: FakeYouTube, home: Path
) -> None:
    foreign = fake.own.pop(7)["id"]
    result = run(fake, home)
    assert (result.error, result.exit_code) == ("", 0)
    assert result.notes == (
        f"YouTube gave no reports of {foreign} (YouTube says forbidden: Forbidden).",
    )
    assert totals(home) == expected(fake)


def test_a_refusal_in_no_words_of_youtube_is_lived_with(fake: FakeYouTube, home: Path) -> None:
    fake.fail(Reply(b"<html>", 404, {"Content-Type": "text/html"}), at="reports")
    assert run(fake, home).resources[0].rejected == 0
    assert {key: row[:4] for key, row in totals(home).items()} == {
        key: row[:4] for key, row in expected(fake).items()
    }


def test_a_channel_that_gives_nothing_is_not_asked_for_every_video(
    fake: FakeYouTube, home: Path
) -> None:
    fake.own.clear()
    result = run(fake, home)
    assert (result.exit_code, result.resources) == (1, ())
    assert "forbidden" in result.error
    assert len(reports(fake)) == 2 + 2 * module.HOPELESS


def test_a_report_asks_for_no_more_than_youtube_allows(
    fake: FakeYouTube, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "VIDEOS", 25)
    monkeypatch.setattr(module, "CELLS", 150)
    run(fake, home)
    assert totals(home) == expected(fake)
    for query in reports(fake):
        span = date.fromisoformat(query["endDate"]) - date.fromisoformat(query["startDate"])
        count = len(query["filters"].split(","))
        assert count <= 25
        assert count * (span.days + 1) <= 150


def test_nothing_to_report_is_no_fault(fake: FakeYouTube, home: Path) -> None:
    fake.now -= timedelta(days=400)
    result = run(fake, home)
    assert (result.error, result.resources, result.notes) == ("", (), ())


@pytest.mark.parametrize("page", range(6))
def test_stopped_at_any_page_it_goes_on_there(fake: FakeYouTube, home: Path, page: int) -> None:
    fake.rows_of_page = 50
    answers = iter([None] * page + [error(403, "quotaExceeded", "enough")])
    fake.fail(
        lambda request: next(answers, None) or fake.reply(request), at="reports", times=page + 1
    )
    first = run(fake, home)
    assert (first.paused, first.exit_code) == ("YouTube's quota of the day is used up", 0)
    second = run(fake, home)
    assert (second.kept, second.paused, second.error) == (page, "", "")
    assert totals(home) == expected(fake)
    assert sorted(fake.repeated().values()) == [2]  # the page that was refused
    assert not list(home.glob("live/*/*.spool"))


def test_a_token_that_ends_on_the_way_is_renewed(fake: FakeYouTube, home: Path) -> None:
    fake.rows_of_page = 50
    fake.fail(lambda request: fake.tokens.clear() or fake.reply(request), at="reports")  # type: ignore[func-returns-value]
    assert run(fake, home).error == ""
    assert fake.given_out == 2
    assert totals(home) == expected(fake)
    kept = home / "live/youtube/tokens.json"
    assert kept.stat().st_mode & 0o77 == 0
    # The next run goes on with the access token that is still good.
    run(fake, home)
    assert fake.given_out == 2


@pytest.mark.parametrize(
    ("other", "message", "hint"),
    [
        ({"refresh_token": "1//spent"}, "invalid_grant", "ACE_YOUTUBE_REFRESH_TOKEN"),
        ({"client_secret": "GOCSPX-wrong"}, "invalid_client", "ACE_YOUTUBE_CLIENT_ID and"),
    ],
    ids=["revoked", "wrong client"],
)
def test_a_refused_token_names_what_to_mend(
    fake: FakeYouTube, home: Path, other: dict[str, str], message: str, hint: str
) -> None:
    result = run(fake, home, **other)
    assert (message in result.error, hint in result.hint) == (True, True)
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (error(403, "accessNotConfigured", "not used"), "Enable the YouTube Analytics API"),
        (error(403, "insufficientPermissions", "scopes"), "yt-analytics.readonly"),
    ],
    ids=["not enabled", "scopes"],
)
def test_a_refusal_names_what_to_mend(
    fake: FakeYouTube, home: Path, fault: Reply, hint: str
) -> None:
    fake.fail(fault, at="reports")
    result = run(fake, home)
    assert hint in result.hint
    assert len(reports(fake)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Reply({"kind": "youtubeAnalytics#resultTable", "rows": [[1]]}),
        Reply({"columnHeaders": [{"name": "day"}], "rows": [["2026-01-01", 5]]}),
        Reply([]),
        Reply({"rows": 5, "columnHeaders": []}),
        error(429, "rateLimitExceeded", "slow down"),
        Reply(b"<html>", 503),
    ],
)
def test_what_is_no_report_is_asked_for_again(fake: FakeYouTube, home: Path, fault: Reply) -> None:
    fake.fail(fault, at="reports", times=2)
    result = run(fake, home)
    assert (result.error, result.retried) == ("", 2)
    assert totals(home) == expected(fake)


def test_a_row_that_cannot_be_is_refused_alone(fake: FakeYouTube, home: Path) -> None:
    names = ["day", "video", "views", "likes"]
    rows = [["soon", "own0000001x", 1, 1], ["2026-01-05", "own0000002x", None, None],
            ["2026-01-05", "own0000003x", 5, 1]]  # fmt: skip
    fake.fail(Reply({"columnHeaders": [{"name": n} for n in names], "rows": rows}), at="reports")
    fake.now -= timedelta(days=400)
    (part,) = run(fake, home).resources
    assert (part.read, part.accepted, part.rejected) == (3, 1, 2)


def test_no_secret_is_said_or_kept(fake: FakeYouTube, home: Path) -> None:
    fake.fail(error(400, "invalid", f"{SECRET} {REFRESH} {CLIENT} ya29.fakeAccessToken1"), times=99)
    fake.faults = [("reports", fault) for _, fault in fake.faults]
    result = run(fake, home)
    assert "*** *** *** ***" in result.error
    kept = [home / "live/youtube/tokens.json"]
    for file in home.rglob("*"):
        if file.is_file() and file not in kept:
            held = file.read_bytes()
            assert not any(one.encode() in held for one in (SECRET, REFRESH, CLIENT, "ya29."))
    assert all(SECRET not in str(one.query) for one in fake.requests)


def test_the_official_client_reads_the_fakes_reports(fake: FakeYouTube) -> None:
    """So the fake is not cut to fit the loader."""
    from google.api_core.client_options import ClientOptions
    from google.oauth2.credentials import Credentials
    from googleapiclient.discovery import build

    consent = Credentials(  # type: ignore[no-untyped-call]
        None, refresh_token=REFRESH, client_id=CLIENT, client_secret=SECRET,
        token_uri=f"{fake.url}/token",
    )  # fmt: skip
    analytics = build(
        "youtubeAnalytics", "v2", credentials=consent,
        client_options=ClientOptions(api_endpoint=fake.url),
    )  # fmt: skip
    ids = ",".join(one["id"] for one in fake.own)
    answer = analytics.reports().query(
        ids="channel==MINE", startDate="2020-01-01", endDate=f"{NOW:%Y-%m-%d}", metrics="views",
        dimensions="day,video", filters=f"video=={ids}", sort="day,video", maxResults=10,
    ).execute()  # fmt: skip
    assert [one["name"] for one in answer["columnHeaders"]] == ["day", "video", "views"]
    assert len(answer["rows"]) == 10
