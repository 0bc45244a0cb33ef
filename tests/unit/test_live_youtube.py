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
    return load_live(landing, home, YouTube(key, landing, fake.url, **options), adopt=adopt)


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
    first, second = (round((NOW - one) / timedelta(hours=1)) for one in after)
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
