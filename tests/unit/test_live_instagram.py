"""``ace load instagram`` against a fake Graph API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.landing import Landing
from loaders.live.instagram import Instagram
from loaders.live.instagram.source import Wanted
from loaders.live.instagram.token import Token
from loaders.live.instagram.versions import warning
from loaders.live.run import LiveResult, load_live
from tests.fakes.instagram import FACEBOOK_TOKEN, TOKEN, FakeInstagram, error, media, throttled
from tests.fakes.server import Reply
from tests.support.waits import no_waits  # noqa: F401

OWN = Wanted()
FIXTURES = Path(__file__).parents[1] / "fixtures/instagram_graph"


@pytest.fixture
def fake() -> Iterator[FakeInstagram]:
    with FakeInstagram([media(n) for n in range(5, 0, -1)], per_page=2) as made:
        yield made  # type: ignore[misc]


def run(
    fake: FakeInstagram,
    tmp_path: Path,
    wanted: Wanted = OWN,
    *,
    token: str = TOKEN,
    adopt: str | None = None,
    version: str = "v25.0",
    renewed: bool = False,
) -> LiveResult:
    landing = Landing(tmp_path / "landing")
    source = Instagram(
        fake.url,
        landing,
        token=Token(token, tmp_path / "live/instagram/token.json", renewed=renewed),
        account="me",
        version=version,
        wanted=wanted,
    )
    source.per_second = 1000.0
    return load_live(landing, tmp_path, source, adopt=adopt)


def landed(tmp_path: Path, resource: str) -> list[dict[str, Any]]:
    files = sorted((tmp_path / "landing").glob(f"instagram/{resource}/*.parquet"))
    return [row for file in files for row in pl.read_parquet(file).to_dicts()]


def polls(tmp_path: Path) -> list[dict[str, Any]]:
    return landed(tmp_path, "performance_metrics")


def test_each_media_is_one_poll_of_its_counts_and_insights(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    result = run(fake, tmp_path)
    assert [(one.resource, one.accepted, one.rejected) for one in result.resources] == [
        ("performance_metrics", 5, 0)
    ]
    first = polls(tmp_path)[0]
    assert first["external_post_id"] == "17900000000000005"
    assert (first["views"], first["likes"], first["comments"], first["shares"]) == (105, 15, 5, 105)
    # Three pages of media, and one request for the insights of each.
    assert (result.asked, fake.repeated()) == (8, {})


def test_with_adopt_each_media_is_a_post_too(fake: FakeInstagram, tmp_path: Path) -> None:
    run(fake, tmp_path, adopt="My shop")
    posts = landed(tmp_path, "published_posts")
    assert len(posts) == len(polls(tmp_path)) == 5
    assert posts[0]["caption"] == "Take 5 #tinyhome"
    assert posts[0]["published_at"].isoformat() == "2026-11-01T12:00:00+00:00"
    assert "like_count" not in posts[0]["_extra"]


def test_what_is_told_beyond_counts_lands(fake: FakeInstagram, tmp_path: Path) -> None:
    fake.insights[fake.own[0]["id"]] = {"ig_reels_avg_watch_time": 4500, "reels_skip_rate": 30}
    run(fake, tmp_path)
    first = polls(tmp_path)[0]
    told = {name: first[name] for name in ("average_watch_seconds", "reach", "is_ai_generated")}
    assert told == {"average_watch_seconds": 4.5, "reach": 105, "is_ai_generated": "true"}
    assert "description" not in first["_extra"]


def test_empty_pages_with_more_to_come_do_not_end_a_list(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    fake.holes = frozenset({0, 2})
    assert run(fake, tmp_path).resources[0].accepted == 5


def test_a_field_that_a_version_does_not_have_is_left_out(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    fake.fields = fake.fields - {"is_ai_generated", "view_count"}
    assert run(fake, tmp_path).resources[0].accepted == 5
    # Two refusals, each once; the pages that follow do without.
    assert len(fake.asked("/media")) == 3 + 2


@pytest.mark.parametrize(
    ("said", "probes"),
    [
        ("metric[3] must be one of the following values: views, reach, likes, comments", 0),
        ("metric[4] is not valid", 0),
        ("The metric saved is not supported for this media product type", 0),
        ("Invalid parameter", 13),
    ],
)
def test_one_refused_metric_costs_that_metric_alone(
    fake: FakeInstagram, tmp_path: Path, said: str, probes: int
) -> None:
    fake.own = fake.own[:1]
    saved = fake.metrics["REELS"].index("saved")
    fake.metrics["REELS"] = tuple(
        name for name in fake.metrics["REELS"] if name != "saved"
    ) if probes else fake.metrics["REELS"]  # fmt: skip
    assert saved
    fake.fail(error(100, said), at="insights")
    result = run(fake, tmp_path)
    assert polls(tmp_path)[-1]["views"] == 105
    assert result.error == ""
    assert len(fake.asked("insights")) <= 2 + probes


def test_a_metric_that_a_kind_never_has_is_not_asked_for_without_end(tmp_path: Path) -> None:
    with FakeInstagram([media(n) for n in range(9, 0, -1)]) as fake:
        assert isinstance(fake, FakeInstagram)
        fake.metrics["REELS"] = tuple(n for n in fake.metrics["REELS"] if n != "reels_skip_rate")
        run(fake, tmp_path)
        assert len(fake.asked("insights")) == 9 + 3
        assert len(polls(tmp_path)) == 9


@pytest.mark.parametrize(
    "refusal",
    [
        error(100, "Media posted before business account conversion", subcode=2108006),
        error(10, "Not enough viewers for the media to show insights", status=403),
    ],
)
def test_a_media_without_insights_has_its_own_counts(
    fake: FakeInstagram, tmp_path: Path, refusal: Reply
) -> None:
    fake.own = fake.own[:1]
    fake.fail(refusal, at="insights")
    run(fake, tmp_path)
    (poll,) = polls(tmp_path)
    assert (poll["views"], poll["likes"], poll["comments"]) == (None, 15, 5)


def test_no_data_yet_is_neither_zero_nor_a_rejection(fake: FakeInstagram, tmp_path: Path) -> None:
    fake.own = [media(1, like_count=None, comments_count=None), media(2)]
    fake.insights = {one["id"]: None for one in fake.own}
    (result,) = run(fake, tmp_path).resources
    assert (result.accepted, result.rejected) == (1, 0)
    assert polls(tmp_path)[0]["views"] is None


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80002])
def test_throttles_are_waited_for_then_paused(
    fake: FakeInstagram, tmp_path: Path, code: int
) -> None:
    fake.fail(throttled(code), times=2)
    assert run(fake, tmp_path).retried == 2
    asked = len(fake.requests)
    fake.fail(throttled(code), at="insights", times=3)
    paused = run(fake, tmp_path)
    assert (paused.exit_code, paused.error, paused.until is not None) == (0, "", True)
    assert "limit reached" in paused.paused
    assert len(fake.requests) == asked + 4
    # It goes on with what was refused, and asks for no page again.
    again = run(fake, tmp_path)
    assert (again.kept, again.asked, len(polls(tmp_path))) == (1, 7, 10)


def test_a_long_throttle_is_a_pause_until_its_end(fake: FakeInstagram, tmp_path: Path) -> None:
    fake.fail(throttled(minutes=30), at="insights")
    result = run(fake, tmp_path)
    assert (result.retried, result.until is not None, result.exit_code) == (0, True, 0)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (error(190, "Session has expired", subcode=463), "no longer takes the access token"),
        (error(200, "Permissions error", status=403), "instagram_basic"),
        (error(368, "Temporarily blocked for policies violations"), "has blocked this app"),
        (error(100, "Object does not exist", subcode=33), "ACE_INSTAGRAM_ACCOUNT"),
    ],
)
def test_what_is_wrong_is_said_with_the_one_thing_to_mend(
    fake: FakeInstagram, tmp_path: Path, fault: Reply, said: str
) -> None:
    fake.fail(fault, at="/media", times=9)
    result = run(fake, tmp_path)
    assert (result.exit_code, said in f"{result.error} {result.hint}") == (1, True)
    assert TOKEN not in f"{result.error} {result.hint}"


def test_a_token_that_expires_in_mid_pagination_costs_no_page(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    fake.fail(lambda request: fake.reply(request), at="/media")
    fake.fail(error(190, "Session has expired", subcode=463, status=401), at="/media")
    assert run(fake, tmp_path).exit_code == 1
    assert len(polls(tmp_path)) == 2
    assert run(fake, tmp_path).kept == 3
    assert len(polls(tmp_path)) == 5


def test_the_token_in_the_address_of_the_next_page_is_nowhere(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    fake.fail(throttled(minutes=30), at="17900000000000002/insights")
    result = run(fake, tmp_path, adopt="My shop")
    assert result.paused
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.suffix == ".spool" for file in files)
    assert all(TOKEN.encode() not in file.read_bytes() for file in files)
    import zstandard

    spool = next(file for file in files if file.suffix == ".spool").read_bytes()
    at, texts = 0, b""
    while at < len(spool):
        size = int(spool[at : at + 9], 16)
        texts += zstandard.ZstdDecompressor().decompress(spool[at + 9 : at + 9 + size])
        at += 9 + size
    assert b"access_token=***" in texts
    assert TOKEN.encode() not in texts


def test_stories_have_metrics_of_their_own(fake: FakeInstagram, tmp_path: Path) -> None:
    fake.stories = [media(7, "STORY", like_count=None, comments_count=None)]
    run(fake, tmp_path, Wanted(media=False, stories=True))
    (poll,) = polls(tmp_path)
    assert (poll["external_post_id"], poll["views"]) == ("17900000000000007", 107)
    assert "reels" not in fake.asked("insights")[0].query["metric"]


def test_hashtags_are_others_media_to_the_last_page_under_a_constant_cursor(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    fake.hashtags = {"tinyhome": [media(100 + n, username=None) for n in range(5)]}
    wanted = Wanted(media=False, hashtags=("tinyhome", "nosuch"))
    result = run(fake, tmp_path, wanted, token=FACEBOOK_TOKEN)
    found = landed(tmp_path, "raw_videos")
    assert len({row["external_id"] for row in found}) == len(found) == 5
    assert result.notes == ("Instagram gives nothing for these hashtags: nosuch.",)
    # The id is known from now on.
    run(fake, tmp_path, wanted, token=FACEBOOK_TOKEN)
    assert [one.query["q"] for one in fake.asked("ig_hashtag_search")] == [
        "tinyhome", "nosuch", "nosuch",
    ]  # fmt: skip


def test_a_pause_between_pages_of_a_constant_cursor_loses_and_repeats_none(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    fake.hashtags = {"tinyhome": [media(100 + n, username=None) for n in range(7)]}
    wanted = Wanted(media=False, hashtags=("tinyhome",))
    fake.fail(lambda request: fake.reply(request), at="recent_media", times=2)
    fake.fail(throttled(minutes=30), at="recent_media")
    assert run(fake, tmp_path, wanted, token=FACEBOOK_TOKEN).paused
    assert len(landed(tmp_path, "raw_videos")) == 4
    again = run(fake, tmp_path, wanted, token=FACEBOOK_TOKEN)
    assert (again.kept, again.asked) == (4, 2)
    ids = [row["external_id"] for row in landed(tmp_path, "raw_videos")]
    assert len(ids) == len(set(ids)) == 7


def test_recorded_pages_of_a_hashtag_land(fake: FakeInstagram, tmp_path: Path) -> None:
    fake.hashtags = {"tinyhome": []}
    for name in ("p1", "p2"):
        recorded = FIXTURES / f"hashtags__hashtag_recent_medias_{name}.json"
        fake.fail(Reply(recorded.read_bytes()), at="recent_media")
    wanted = Wanted(media=False, hashtags=("tinyhome",))
    assert run(fake, tmp_path, wanted, token=FACEBOOK_TOKEN).resources[0].accepted == 10


def test_recorded_media_with_recorded_insights_land(fake: FakeInstagram, tmp_path: Path) -> None:
    page = json.loads((FIXTURES / "users__medias_p1.json").read_text())
    del page["paging"]["next"]
    fake.fail(Reply(page), at="/media")
    insights = (FIXTURES / "medias__insights.json").read_bytes()
    fake.fail(Reply(insights), at="/insights", times=2)
    run(fake, tmp_path, adopt="My shop")
    assert [(row["likes"], row["reach"]) for row in polls(tmp_path)] == [(0, 5), (2, 5)]
    assert len(landed(tmp_path, "published_posts")) == 2


def test_thirty_hashtags_in_seven_days_and_no_more(fake: FakeInstagram, tmp_path: Path) -> None:
    fake.searched = [f"old{n}" for n in range(29)]
    fake.hashtags = {"a": [media(101)], "b": [media(102)]}
    result = run(fake, tmp_path, Wanted(media=False, hashtags=("a", "b")), token=FACEBOOK_TOKEN)
    assert (len(landed(tmp_path, "raw_videos")), result.exit_code) == (1, 0)
    assert "30 different hashtags in seven days: b." in result.notes[0]
    assert len(fake.asked("ig_hashtag_search")) == 1


def test_known_posts_that_are_due_are_polled_by_their_id(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    run(fake, tmp_path, adopt="My shop")
    gone = fake.own.pop(0)["id"]
    fake.requests.clear()
    landing = Landing(tmp_path / "landing")
    assert landing.loads("instagram")
    import loaders.live.known as known

    real, known.SLACK = known.SLACK, known.OLD
    try:
        result = run(fake, tmp_path, Wanted(media=False, posts=True))
    finally:
        known.SLACK = real
    assert len(polls(tmp_path)) == 5 + 4
    assert len(fake.asked(gone)) == 1
    assert "Posts that Instagram does not know" in result.notes[0]


@pytest.mark.parametrize(
    ("version", "today", "said"),
    [
        ("v21.0", date(2026, 11, 27), "ends on 21 January 2027"),
        ("v21.0", date(2027, 2, 1), "ended on 21 January 2027"),
        ("v22.0", date(2026, 11, 27), ""),
        ("v22.0", date(2027, 2, 19), "ends on 20 May 2027"),
        ("v19.0", date(2026, 11, 27), "has ended"),
        ("v25.0", date(2026, 11, 27), ""),
    ],
)
def test_the_end_of_a_version_is_warned_of_ninety_days_ahead(
    version: str, today: date, said: str
) -> None:
    warned = warning(version, today)
    assert said in warned
    assert bool(said) == bool(warned)


@pytest.mark.parametrize("renewed", ["IGAAfakeTokenThatCameOfARenewal98765", TOKEN])
def test_a_token_of_instagram_login_is_renewed_and_kept_by_its_owner(
    fake: FakeInstagram, tmp_path: Path, renewed: str
) -> None:
    fake.next_token = renewed
    assert run(fake, tmp_path, renewed=True).exit_code == 0
    file = tmp_path / "live/instagram/token.json"
    assert (fake.token in file.read_text(), oct(file.stat().st_mode)[-3:]) == (True, "600")
    assert fake.requests[-1].headers["authorization"] == f"Bearer {fake.token}"
    fake.requests.clear()
    run(fake, tmp_path, renewed=True)
    assert not fake.asked("refresh")


def test_a_token_that_cannot_be_renewed_yet_is_used_as_it_is(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    fake.fail(error(100, "The access token is not 24 hours old"), at="refresh")
    assert run(fake, tmp_path, renewed=True).resources[0].accepted == 5
