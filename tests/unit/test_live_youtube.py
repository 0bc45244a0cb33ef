"""The YouTube Data API against a fake of it: what lands, what it costs, what is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.landing import Landing
from loaders.live.run import LiveResult, load_live
from loaders.live.youtube.videos import YouTube
from tests.fakes.server import Reply
from tests.fakes.youtube import CHANNEL, HANDLE, KEY, FakeYouTube, error, videos
from tests.support.waits import no_waits  # noqa: F401

NOW = datetime.now(UTC).replace(microsecond=0)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "youtube_api"


@pytest.fixture
def fake() -> Iterator[FakeYouTube]:
    own = videos(80, NOW, prefix="own", channel="My shop")
    others = videos(300, NOW, prefix="oth", channel="Somebody")
    with FakeYouTube(own=own, others=others) as started:
        assert isinstance(started, FakeYouTube)
        yield started


def run(
    fake: FakeYouTube, home: Path, *, key: str = KEY, adopt: str | None = None, **options: Any
) -> LiveResult:
    landing = Landing(home / "landing")
    source = YouTube(key, landing, fake.url, **options)
    source.per_second = 1000.0
    return load_live(landing, home, source, adopt=adopt)


def rows(home: Path, resource: str) -> pl.DataFrame:
    files = sorted((home / "landing" / "youtube" / resource).glob("0*.parquet"))
    return pl.concat(map(pl.read_parquet, files))


def counts(result: LiveResult) -> dict[str, tuple[int, int]]:
    return {one.resource: (one.read, one.accepted) for one in result.resources if not one.made}


@pytest.mark.parametrize("channel", [HANDLE, CHANNEL])
def test_a_channels_uploads_land_as_posts_and_polls(
    fake: FakeYouTube, tmp_path: Path, channel: str
) -> None:
    fake.own[4]["gone"] = True
    result = run(fake, tmp_path, channels=(channel,), adopt="My shop")
    assert counts(result) == {"published_posts": (79, 79), "performance_metrics": (79, 79)}
    post = rows(tmp_path, "published_posts").sort("published_at").row(10, named=True)
    source = fake.own[11]
    assert (post["external_post_id"], post["caption"]) == (source["id"], source["title"])
    assert post["published_at"] == datetime.fromisoformat(source["publishedAt"])
    polls = rows(tmp_path, "performance_metrics")
    hidden = [one for one in fake.own if one["likeCount"] is None and not one.get("gone")]
    assert polls["likes"].null_count() == len(hidden) > 0
    assert set(polls["views"]) == {one["viewCount"] for one in fake.own if not one.get("gone")}
    # One for the channel, two pages of its uploads, two batches of videos.
    assert (result.asked, 10_000 - fake.units) == (5, 5)


def test_uploads_end_where_all_are_older_than_what_is_wanted(
    fake: FakeYouTube, tmp_path: Path
) -> None:
    first = (NOW - timedelta(days=2)).date()
    result = run(fake, tmp_path, channels=(HANDLE,), since=first)
    wanted = [one for one in fake.own if one["publishedAt"][:10] >= first.isoformat()]
    assert counts(result) == {"performance_metrics": (len(wanted), len(wanted))}


def test_a_channel_without_uploads_is_no_fault(fake: FakeYouTube, tmp_path: Path) -> None:
    fake.fail(error(404, "playlistNotFound", "The playlist cannot be found."), at="playlistItems")
    result = run(fake, tmp_path, channels=(HANDLE,))
    assert (result.error, result.resources) == ("", ())


def test_a_handle_that_begins_like_an_id_is_one(fake: FakeYouTube, tmp_path: Path) -> None:
    run(fake, tmp_path, channels=("UCLA",))
    assert fake.asked("channels")[0].query["forHandle"] == "UCLA"


def test_an_unknown_channel_has_nothing_to_land(fake: FakeYouTube, tmp_path: Path) -> None:
    result = run(fake, tmp_path, channels=("@nobody",))
    assert "no channel @nobody" in result.error
    assert result.exit_code == 1


def test_charts_and_searches_land_as_videos_of_others(fake: FakeYouTube, tmp_path: Path) -> None:
    result = run(fake, tmp_path, trending=("US",), searches=("water bottle",), search_pages=2)
    videos_ = rows(tmp_path, "raw_videos")
    # 200 of the chart; of the last week 34 are found, which the chart has as well.
    assert counts(result) == {"raw_videos": (234, 234)}
    assert set(videos_["author"]) == {"Somebody"}
    assert videos_["view_count"].null_count() == 0
    regions = [json.loads(extra).get("regionCode") for extra in videos_["_extra"]]
    assert regions.count("US") == 200
    assert len(fake.asked("search")) == 1


def test_a_chart_of_one_page_is_others_videos_too(fake: FakeYouTube, tmp_path: Path) -> None:
    fake.others = fake.others[:5]
    assert counts(run(fake, tmp_path, trending=("US",))) == {"raw_videos": (5, 5)}


def test_a_search_goes_on_from_the_last_with_an_overlap(fake: FakeYouTube, tmp_path: Path) -> None:
    for _ in range(2):
        run(fake, tmp_path, searches=("water bottle",))
    after = [datetime.fromisoformat(one.query["publishedAfter"]) for one in fake.asked("search")]
    # The module may have been read an hour before: by the clock of now, as the source's is.
    now = datetime.now(UTC)
    first, second = (round((now - one) / timedelta(hours=1)) for one in after)
    assert (first, second) == (168, 12)


def test_known_posts_are_polled_in_batches_of_fifty(fake: FakeYouTube, tmp_path: Path) -> None:
    run(fake, tmp_path, channels=(HANDLE,), adopt="My shop")
    for file in (tmp_path / "landing/youtube/performance_metrics").glob("0*.parquet"):
        file.unlink()
    asked = len(fake.requests)
    result = run(fake, tmp_path, posts=True)
    assert [len(one.query["id"].split(",")) for one in fake.requests[asked:]] == [50, 30]
    assert counts(result) == {"performance_metrics": (80, 80)}


def test_the_days_units_are_kept_and_the_run_goes_on_after_their_reset(
    fake: FakeYouTube, tmp_path: Path
) -> None:
    fake.units = 3
    first = run(fake, tmp_path, channels=(HANDLE,))
    assert (first.paused, first.exit_code) == ("YouTube's quota of the day is used up", 0)
    assert first.until is not None
    assert first.until.astimezone(UTC).hour in (7, 8)  # midnight in California
    asked = len(fake.requests)
    assert run(fake, tmp_path, channels=(HANDLE,)).asked == 0
    (tmp_path / "live/youtube/spent.json").unlink()  # a day later
    fake.units = 100
    second = run(fake, tmp_path, channels=(HANDLE,))
    assert (second.kept, len(fake.requests) - asked) == (3, 2)
    landed = rows(tmp_path, "performance_metrics")["external_post_id"]
    assert sorted(landed) == sorted(one["id"] for one in fake.own)


def test_a_known_post_whose_id_is_none_does_not_spoil_its_batch(
    fake: FakeYouTube, tmp_path: Path
) -> None:
    ids = [one["id"] for one in fake.own[:50]]
    known = ["a,b", "two words", *ids]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.live.youtube.videos.posts_to_poll", lambda *_: known)
        result = run(fake, tmp_path, posts=True)
    assert result.error == ""
    assert counts(result) == {"performance_metrics": (50, 50)}
    assert [one.query["id"].split(",") for one in fake.asked("videos")] == [ids]


@pytest.mark.parametrize(
    ("fault", "error_", "hint"),
    [
        (error(403, "accessNotConfigured", "API has not been used"), "accessNotConfigured",
         "Enable the YouTube Data API v3"),
        (error(400, "keyExpired", "API key expired."), "keyExpired", "Make a new key"),
        (error(403, "forbidden", "no"), "YouTube says forbidden: no", ""),
    ],
    ids=["not enabled", "expired key", "forbidden"],
)  # fmt: skip
def test_a_refusal_names_what_to_mend(
    fake: FakeYouTube, tmp_path: Path, fault: Reply, error_: str, hint: str
) -> None:
    fake.fail(fault, at="playlistItems")
    result = run(fake, tmp_path, channels=(HANDLE,))
    assert error_ in result.error
    assert hint in result.hint
    assert result.exit_code == 1


def test_a_wrong_key_is_one_sentence(fake: FakeYouTube, tmp_path: Path) -> None:
    result = run(fake, tmp_path, key="AIzaSyWrong", trending=("US",))
    assert result.error == (
        "YouTube says badRequest: API key not valid. Please pass a valid API key."
    )
    assert result.hint == "Check ACE_YOUTUBE_KEY."


@pytest.mark.parametrize(
    "fault",
    [
        error(403, "rateLimitExceeded", "slow down"),
        error(503, "backendError", "later"),
        Reply(b"<html>502</html>", 502, {"Content-Type": "text/html"}),
    ],
    ids=["403 rate", "503", "502 html"],
)
def test_what_passes_is_asked_again(fake: FakeYouTube, tmp_path: Path, fault: Reply) -> None:
    fake.fail(fault, at="videos", times=2)
    result = run(fake, tmp_path, trending=("US",))
    assert (result.error, result.retried) == ("", 2)
    assert counts(result) == {"raw_videos": (200, 200)}


def test_the_key_is_in_no_address_file_or_error(fake: FakeYouTube, tmp_path: Path) -> None:
    fake.fail(error(403, "forbidden", f"the key {KEY} may not"), at="playlistItems")
    result = run(fake, tmp_path, channels=(HANDLE,))
    assert "the key *** may not" in result.error
    run(fake, tmp_path, trending=("US",))
    assert all("key" not in one.query for one in fake.requests)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def landed(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What landed of each resource, whenever: ids and counts, as often as they did."""
    columns = {
        "raw_videos": ("external_id", "view_count"),
        "performance_metrics": ("external_post_id", "views"),
    }
    return {
        name: sorted(rows(home, name).select(names).rows())
        for name, names in columns.items()
        if any((home / "landing" / "youtube" / name).glob("0*.parquet"))
    }


def test_stopped_at_any_page_it_goes_on_there(fake: FakeYouTube, tmp_path: Path) -> None:
    fake.own, fake.others = fake.own[:60], fake.others[:110]
    options: dict[str, Any] = {
        "channels": (HANDLE,), "trending": ("US", "GB"), "searches": ("water bottle", "Tip 1"),
        "search_pages": 2, "since": NOW.date() - timedelta(days=20),
    }  # fmt: skip
    whole = run(fake, tmp_path / "whole", **options)
    expected = landed(tmp_path / "whole")
    assert whole.asked > 12
    for page in range(0, whole.asked, 3):  # each of a kind
        fake.requests.clear()
        answers = iter([None] * page + [error(403, "quotaExceeded", "enough")])
        fake.fail(lambda one: next(answers, None) or fake.reply(one), times=page + 1)  # noqa: B023
        home = tmp_path / str(page)
        first = run(fake, home, **options)
        assert (first.paused != "", first.exit_code) == (True, 0)
        (home / "live/youtube/spent.json").unlink()  # a day later
        second = run(fake, home, **options)
        assert (second.kept, second.paused, second.error) == (page, "", "")
        # Nothing more than an undisturbed run, but the page that was refused.
        assert len(fake.requests) == whole.asked + 1
        assert landed(home) == expected
        assert not list(home.glob("live/*/*.spool"))


@pytest.mark.parametrize("batch", [0, 1])
def test_polls_of_known_posts_go_on_with_the_next_batch(
    fake: FakeYouTube, tmp_path: Path, batch: int
) -> None:
    ids = [one["id"] for one in fake.own]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.live.youtube.videos.posts_to_poll", lambda *_: ids)
        fake.units = batch
        assert run(fake, tmp_path, posts=True).paused
        # Those that are due were asked for once: others that are now do not change the run.
        patch.setattr("loaders.live.youtube.videos.posts_to_poll", lambda *_: ids[:3])
        (tmp_path / "live/youtube/spent.json").unlink()
        fake.units = 100
        second = run(fake, tmp_path, posts=True)
    assert (second.kept, second.error) == (batch, "")
    assert sorted(rows(tmp_path, "performance_metrics")["external_post_id"]) == sorted(ids)
    assert sum(fake.repeated().values()) == 2


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ({"channels": (HANDLE,)}, "playlistItems"),
        ({"trending": ("US",)}, "videos"),
        ({"searches": ("Tip",), "search_pages": 3, "since": NOW.date() - timedelta(days=300)},
         "search"),
    ],
    ids=["uploads", "chart", "search"],
)  # fmt: skip
def test_a_list_whose_next_page_is_not_known_any_more_begins_anew(
    fake: FakeYouTube, tmp_path: Path, options: dict[str, Any], at: str
) -> None:
    whole = run(fake, tmp_path / "whole", **options)
    forgotten = error(400, "invalidPageToken", "The page token is not valid.", "youtube")
    left = [1]

    def forget(request: Any) -> Reply:
        if "pageToken" in request.query and left.pop() == 1:
            return forgotten
        return fake.reply(request)

    fake.fail(forget, at=at, times=2)
    result = run(fake, tmp_path / "again", **options)
    assert (result.error, left) == ("", [])
    found, expected = landed(tmp_path / "again"), landed(tmp_path / "whole")
    if at == "videos":
        # The first page is an observation of its videos each time.
        assert {name: len(each) for name, each in found.items()} == {"raw_videos": 250}
        found = {name: sorted(set(each)) for name, each in found.items()}
    assert found == expected
    assert whole.error == ""
    assert sum(one.rejected for one in result.resources) == 0


def test_a_list_is_not_begun_anew_for_ever(fake: FakeYouTube, tmp_path: Path) -> None:
    forgotten = error(400, "invalidPageToken", "The page token is not valid.", "youtube")
    fake.fail(
        lambda one: forgotten if "pageToken" in one.query else fake.reply(one),
        at="videos", times=99,
    )  # fmt: skip
    result = run(fake, tmp_path, trending=("US",))
    assert "the chart of US (YouTube says invalidPageToken" in result.error
    assert len(fake.requests) == 6
    assert counts(result) == {"raw_videos": (150, 150)}


def test_what_is_refused_keeps_no_other_from_landing(fake: FakeYouTube, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "channels": ("@nobody", HANDLE), "trending": ("XX", "US"), "searches": ("Tip 1", "Tip 2"),
    }  # fmt: skip
    fake.fail(error(403, "forbidden", "no"), at="search")
    result = run(fake, tmp_path, **options)
    assert result.exit_code == 1
    assert result.error == (
        "youtube: not loaded in full: the channel @nobody (there is no channel @nobody); the chart "
        "of XX (YouTube says invalidRegionCode: The region code is invalid); the search for Tip 1 "
        "(YouTube says forbidden: no)."
    )
    found = {one.resource: (one.accepted, one.rejected) for one in result.resources}
    assert found["performance_metrics"] == (80, 0)
    assert found["raw_videos"][0] > 200
    assert found["raw_videos"][1] == 0
    # It has ended: the next run asks for all of it, the failed search from where this one began.
    assert not list(tmp_path.glob("live/*/*.spool"))
    fake.requests.clear()
    run(fake, tmp_path, **options)
    after = {one.query["q"]: one.query["publishedAfter"] for one in fake.asked("search")}
    assert (NOW - datetime.fromisoformat(after["Tip 1"])) > timedelta(days=6)


@pytest.mark.parametrize(
    "fault",
    [error(403, "forbidden", "no"), Reply(b"<html>", 404, {"Content-Type": "text/html"})],
    ids=["forbidden", "html"],
)
def test_a_refused_batch_of_our_own_is_no_record(
    fake: FakeYouTube, tmp_path: Path, fault: Reply
) -> None:
    fake.fail(fault, at="/videos")
    result = run(fake, tmp_path, channels=(HANDLE,), trending=("US",))
    assert result.error.startswith("youtube: not loaded in full: the channel @myshop (")
    assert [(one.resource, one.rejected) for one in result.resources] == [("raw_videos", 0)]


def test_what_was_only_refused_is_no_news_of_the_source(fake: FakeYouTube, tmp_path: Path) -> None:
    fake.fail(Reply(b"<html>", 404), at="/videos")
    result = run(fake, tmp_path, trending=("US", "XX"))
    assert (result.exit_code, result.resources) == (1, ())
    assert not Landing(tmp_path / "landing").heartbeats()


def test_recorded_responses_land(fake: FakeYouTube, tmp_path: Path) -> None:
    recorded = (FIXTURES / "videos__videos_chart_paged_2.json").read_bytes()
    fake.fail(Reply(recorded), at="videos")
    result = run(fake, tmp_path, trending=("US",))
    assert result.error == ""
    ids = {item["id"] for item in json.loads(recorded)["items"]}
    assert ids <= set(rows(tmp_path, "raw_videos")["external_id"])


def test_the_official_client_reads_the_fake(fake: FakeYouTube) -> None:
    """So the fake is not cut to fit the loader."""
    from google.api_core.client_options import ClientOptions
    from googleapiclient.discovery import build

    options = ClientOptions(api_endpoint=fake.url)
    youtube = build("youtube", "v3", developerKey=KEY, client_options=options)
    request = youtube.videos().list(part="snippet,statistics", chart="mostPopular", maxResults=50)
    ids: list[str] = []
    while request is not None:
        answer = request.execute()
        ids += [item["id"] for item in answer["items"]]
        request = youtube.videos().list_next(request, answer)
    assert len(set(ids)) == 200
    channel = youtube.channels().list(part="contentDetails", forHandle=HANDLE).execute()
    uploads = channel["items"][0]["contentDetails"]["relatedPlaylists"]["uploads"]
    items = youtube.playlistItems().list(part="contentDetails", playlistId=uploads, maxResults=50)
    assert len(items.execute()["items"]) == 50
    found = youtube.search().list(part="snippet", q="water", type="video", maxResults=50).execute()
    assert found["items"][0]["id"]["videoId"]
