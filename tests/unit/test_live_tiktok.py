"""TikTok's two APIs against a fake of them: what lands, what is asked again, what is said."""

from __future__ import annotations

import json
import stat
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from common.errors import AceError
from loaders.landing import Landing
from loaders.live.run import LiveResult, load_live
from loaders.live.tiktok.posts import TikTokPosts
from loaders.live.tiktok.research import TikTokResearch, windows
from loaders.records import type_records
from tests.fakes.server import Reply
from tests.fakes.tiktok import KEY, REFRESH, SECRET, FakeTikTok, error, posts, videos
from tests.support.waits import no_waits  # noqa: F401
from warehouse.cli import main

NOW = datetime.now(UTC).replace(microsecond=0)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "tiktok_research"


@pytest.fixture
def fake() -> Iterator[FakeTikTok]:
    with FakeTikTok(videos=videos(450, NOW), posts=posts(47, NOW)) as started:
        assert isinstance(started, FakeTikTok)
        yield started


def research(fake: FakeTikTok, home: Path, **options: Any) -> LiveResult:
    asked = {"hashtags": ("funny",), **options}
    source = TikTokResearch(KEY, SECRET, fake.url, **asked)
    return load_live(Landing(home / "landing"), home, source)


def own(fake: FakeTikTok, home: Path, *, adopt: str | None = None, **options: Any) -> LiveResult:
    landing = Landing(home / "landing")
    given = {"refresh_token": REFRESH, **options}
    source = TikTokPosts(
        KEY, SECRET, tokens_file=home / "tokens.json", landing=landing, base=fake.url, **given
    )
    return load_live(landing, home, source, adopt=adopt)


def rows(home: Path, source: str, resource: str) -> pl.DataFrame:
    files = sorted((home / "landing" / source / resource).glob("0*.parquet"))
    return pl.concat(map(pl.read_parquet, files))


def counts(result: LiveResult) -> dict[str, tuple[int, int]]:
    return {one.resource: (one.read, one.accepted) for one in result.resources}


def test_research_lands_every_video_of_every_window(fake: FakeTikTok, tmp_path: Path) -> None:
    fake.sparse = True
    fake.videos[3]["gone"] = True
    result = research(fake, tmp_path, since=(NOW - timedelta(days=70)).date())
    assert (result.error, result.paused) == ("", "")
    ids = set(rows(tmp_path, "tiktok_research", "raw_videos")["external_id"])
    assert ids == fake.served
    # Behind an empty page come more: the oldest of each window is there.
    assert str(fake.videos[0]["id"]) in ids
    assert len(ids) > 200
    # Ids are beyond what a float holds.
    assert any(int(one) != int(float(one)) for one in ids)


def test_the_next_run_begins_three_days_before_the_last_ended(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    research(fake, tmp_path)
    asked = len(fake.asked("research"))
    research(fake, tmp_path)
    days = [request.json["start_date"] for request in fake.asked("research")[asked:]]
    assert set(days) == {f"{NOW.date() - timedelta(days=3):%Y%m%d}"}


@pytest.mark.parametrize(
    ("first", "spans"),
    [(0, [0]), (30, [30]), (31, [30, 1]), (75, [30, 30, 15]), (-1, [0])],
)
def test_windows_hold_at_most_thirty_days_and_leave_none_out(first: int, spans: list[int]) -> None:
    last = date(2026, 11, 27)
    found = list(windows(last - timedelta(days=first), last))
    assert [(end - begin).days for begin, end in found] == spans
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_words_tags_users_and_regions_are_one_query(fake: FakeTikTok, tmp_path: Path) -> None:
    research(fake, tmp_path, keywords=("number 7",), hashtags=("nobody",), regions=("US", "GB"))
    assert fake.asked("research")[0].json["query"] == {
        "or": [
            {"operation": "EQ", "field_name": "keyword", "field_values": ["number 7"]},
            {"operation": "EQ", "field_name": "hashtag_name", "field_values": ["nobody"]},
        ],
        "and": [{"operation": "IN", "field_name": "region_code", "field_values": ["US", "GB"]}],
    }
    assert rows(tmp_path, "tiktok_research", "raw_videos").height == 11  # 7, 70 to 79


def test_a_search_that_expires_begins_anew(fake: FakeTikTok, tmp_path: Path) -> None:
    def expire(request: Any) -> Reply:
        fake.searches.clear()
        return fake.reply(request)

    fake.fail(lambda request: fake.reply(request), at="research")
    fake.fail(expire, at="research")
    result = research(fake, tmp_path)
    assert result.error == ""
    assert len(set(rows(tmp_path, "tiktok_research", "raw_videos")["external_id"])) == 450


def test_an_expired_search_is_gone_on_with_after_a_stop(fake: FakeTikTok, tmp_path: Path) -> None:
    def expire(request: Any) -> Reply:
        fake.searches.clear()
        return fake.reply(request)

    fake.fail(lambda request: fake.reply(request), at="research")
    # However often the old search is asked for, then a page of the new one.
    fake.fail(expire, at="research", times=3)
    fake.fail(lambda request: fake.reply(request), at="research")
    fake.fail(error("daily_quota_limit_exceeded", "", 429), at="research")
    assert research(fake, tmp_path).paused
    (tmp_path / "live/tiktok_research/spent.json").unlink()
    result = research(fake, tmp_path)
    assert (result.error, result.paused) == ("", "")
    assert len(set(rows(tmp_path, "tiktok_research", "raw_videos")["external_id"])) == 450


def test_a_window_that_outlasts_every_search_is_halved(fake: FakeTikTok, tmp_path: Path) -> None:
    fake.search_lives = 2
    assert research(fake, tmp_path).error == ""
    assert len(set(rows(tmp_path, "tiktok_research", "raw_videos")["external_id"])) == 450


def test_a_query_of_several_days_of_quota_ends(
    fake: FakeTikTok, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(5):
        now = NOW + timedelta(days=day)
        monkeypatch.setattr("loaders.live.run.utc_now", lambda now=now: now)
        result = research(fake, tmp_path, per_day=1, since=(NOW - timedelta(days=26)).date())
        assert result.asked == 2  # a token and a page
    assert (result.paused, result.kept) == ("", 4)
    assert rows(tmp_path, "tiktok_research", "raw_videos").height == 450


BROKEN = [
    {"error": {"code": "ok"}},
    {"data": None, "error": {"code": "ok"}},
    {"data": []},
    {"data": {"videos": "none"}},
    {"data": {"has_more": True, "videos": []}},
    {"data": {"has_more": True, "videos": [], "cursor": None, "search_id": "1"}},
    ["ok"],
    "ok",
]


@pytest.mark.parametrize("body", BROKEN, ids=map(str, range(len(BROKEN))))
@pytest.mark.parametrize("load", [research, own])
def test_an_answer_of_another_form_is_asked_for_again_then_named(
    fake: FakeTikTok, tmp_path: Path, load: Any, body: Any
) -> None:
    fake.fail(lambda request: fake.reply(request), at="video")
    fake.fail(Reply(body), at="video", times=3)
    result = load(fake, tmp_path)
    assert "did not answer well" in result.error
    assert "its answer" in result.error
    kept = sum(one.accepted for one in result.resources)
    assert kept in (100, 20)  # the page before
    result = load(fake, tmp_path)
    assert (result.error, result.kept) == ("", 1)


@pytest.mark.parametrize("load", [research, own])
def test_a_cursor_that_stands_still_ends_the_walk(
    fake: FakeTikTok, tmp_path: Path, load: Any
) -> None:
    def again(request: Any) -> Reply:
        reply = fake.reply(request)
        return Reply({**reply.body, "data": {**reply.body["data"], **stuck}})

    stuck = {"cursor": 100, "has_more": True}
    fake.fail(again, at="video", times=20)
    result = load(fake, tmp_path)
    assert "the same page again" in result.error
    assert len(fake.asked("video")) <= 5


@pytest.mark.parametrize(("load", "pages"), [(research, 5), (own, 3)])
def test_a_walk_that_was_cut_goes_on_and_asks_nothing_twice(
    fake: FakeTikTok, tmp_path: Path, load: Any, pages: int
) -> None:
    for page in range(1, pages):
        fake.fail(lambda request: fake.reply(request), at="video", times=page)
        fake.fail(Reply(drop=True), at="video", times=3)
        home = tmp_path / str(page)
        assert "the connection failed" in load(fake, home).error
        result = load(fake, home)
        assert (result.error, result.kept) == ("", page)
        source, resource = (
            ("tiktok_research", "raw_videos") if load is research
            else ("tiktok", "performance_metrics")
        )  # fmt: skip
        landed = rows(home, source, resource)
        assert landed.height == (450 if load is research else 47)
        # Only the page that was dropped, three times.
        asked = [n for question, n in fake.repeated().items() if "video" in question[1]]
        assert asked == [4]
        fake.refresh = REFRESH
        fake.requests.clear()


def test_an_expired_token_is_replaced_in_the_middle(fake: FakeTikTok, tmp_path: Path) -> None:
    fake.lives = 2
    assert research(fake, tmp_path).error == ""
    assert len(fake.asked("token")) == 3
    assert len(set(rows(tmp_path, "tiktok_research", "raw_videos")["external_id"])) == 450


@pytest.mark.parametrize(
    "fault",
    [
        error("rate_limit_exceeded", "slow down", 429),
        error("internal_error", "", 500),
        error("rate_limit_exceeded", "slow down", 200),
        Reply(b"<html>Gateway Time-out</html>", 504, {"Content-Type": "text/html"}),
        Reply(b"<html>maintenance</html>", 200, {"Content-Type": "text/html"}),
    ],
    ids=["429", "500", "200 with a code", "504 html", "200 html"],
)
def test_what_passes_is_asked_again(fake: FakeTikTok, tmp_path: Path, fault: Reply) -> None:
    fake.fail(fault, at="research", times=2)
    result = research(fake, tmp_path)
    assert (result.error, result.retried) == ("", 2)


def test_the_quota_of_the_day_pauses_and_the_next_day_goes_on(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    fake.fail(lambda request: fake.reply(request), at="research", times=2)
    fake.fail(error("daily_quota_limit_exceeded", "", 429), at="research")
    first = research(fake, tmp_path)
    assert (first.paused, first.exit_code) == ("TikTok's quota of the day is used up", 0)
    assert first.until == (NOW + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    assert counts(first) == {"raw_videos": (200, 200)}
    assert research(fake, tmp_path).asked == 0
    (tmp_path / "live/tiktok_research/spent.json").unlink()  # a day later
    second = research(fake, tmp_path)
    assert (second.kept, counts(second)) == (2, {"raw_videos": (250, 250)})
    # Twice only the page that the quota refused, and no token.
    assert sorted(
        n for question, n in fake.repeated().items() if "research" in question[1]
    ) == [2]  # fmt: skip


def test_wrong_credentials_name_the_one_thing_to_mend(fake: FakeTikTok, tmp_path: Path) -> None:
    source = TikTokResearch(KEY, "wrong-secret", fake.url, hashtags=("funny",))
    result = load_live(Landing(tmp_path / "landing"), tmp_path, source)
    assert result.error.startswith("TikTok gives no access token (invalid_client: Client key")
    assert result.hint == "Check ACE_TIKTOK_RESEARCH_KEY and ACE_TIKTOK_RESEARCH_SECRET."
    assert result.exit_code == 1


def test_recorded_pages_land_with_all_their_digits(fake: FakeTikTok, tmp_path: Path) -> None:
    recorded = json.loads((FIXTURES / "api_videos_response_page_2_of_2.json").read_text())
    nulls = FIXTURES / "api_videos_response_unicode_with_null_bytes.json"
    fake.fail(Reply(nulls.read_bytes()), at="research")
    result = research(fake, tmp_path)
    assert result.error == ""
    fake.fail(Reply(json.dumps(recorded).encode()), at="research")
    assert research(fake, tmp_path).error == ""
    landed = set(rows(tmp_path, "tiktok_research", "raw_videos")["external_id"])
    assert {str(video["id"]) for video in recorded["data"]["videos"]} <= landed


def test_own_posts_land_with_their_polls(fake: FakeTikTok, tmp_path: Path) -> None:
    fake.posts[5]["gone"] = True
    fake.posts[6].pop("view_count")
    result = own(fake, tmp_path, adopt="My shop")
    assert counts(result) == {
        "products": (1, 1), "scripts": (46, 46), "experiments": (46, 46),
        "published_posts": (46, 46), "performance_metrics": (46, 46),
    }  # fmt: skip
    post = rows(tmp_path, "tiktok", "published_posts").sort("published_at").row(6, named=True)
    source = fake.posts[7]
    assert post["external_post_id"] == str(source["id"])
    assert post["published_at"].timestamp() == source["create_time"]
    assert (post["caption"], post["hashtags"]) == (source["video_description"], ["tips", "howto"])
    polls = rows(tmp_path, "tiktok", "performance_metrics")
    assert polls["views"].null_count() == 1
    assert (polls["_extracted_at"] >= NOW - timedelta(seconds=1)).all()


def test_without_adopt_only_polls_land(fake: FakeTikTok, tmp_path: Path) -> None:
    assert counts(own(fake, tmp_path)) == {"performance_metrics": (47, 47)}


def test_known_posts_are_polled_by_id_when_they_are_due(fake: FakeTikTok, tmp_path: Path) -> None:
    own(fake, tmp_path, adopt="My shop")
    asked = len(fake.asked("video/query"))
    fake.posts[-1]["gone"] = True
    result = own(fake, tmp_path, posts=True)
    # Posts of the last twelve hours, every five hours: the others were polled just now.
    bodies = [request.json["filters"]["video_ids"] for request in fake.asked("query")[asked:]]
    assert bodies == [[str(post["id"]) for post in fake.posts[-3:]]]
    assert counts(result) == {"performance_metrics": (2, 2)}


def test_a_post_whose_id_is_not_of_tiktok_does_not_spoil_its_batch(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    landing = Landing(tmp_path / "landing")
    known = [
        str(fake.posts[0]["id"]),
        "https://vm.tiktok.com/x",
        "7" * 25,
        str(fake.posts[1]["id"]),
    ]
    landing.prepare()
    with landing.open_load("files", "published_posts") as load:
        records = [{"platform": "tiktok", "external_post_id": one} for one in known]
        load.write(type_records("published_posts", records)[0])
        load.commit()
    assert counts(own(fake, tmp_path, posts=True)) == {"performance_metrics": (2, 2)}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["--since", "2026-02-01"], "Nothing says which videos."),
        (["--keyword", " "], "Nothing says which videos."),
        (["--hashtag", "#"], "Nothing says which videos."),
        (["--hashtag", "a", "--since", "2026-02-02", "--until", "2026-02-01"], "begin after"),
        (["--hashtag", "a", "--since", "2999-01-01"], "begin after"),
        (["--region", "USA"], "USA is not a country"),
    ],
)
def test_a_query_that_cannot_find_anything_is_wrong_usage(
    capfd: pytest.CaptureFixture[str], call: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["load", "tiktok-research", *call])
    assert ended.value.code == 2
    assert said in capfd.readouterr().err


def test_one_refused_post_is_named_and_costs_no_other_its_poll(
    fake: FakeTikTok, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [str(post["id"]) for post in fake.posts[:25]]
    monkeypatch.setattr("loaders.live.tiktok.posts.posts_to_poll", lambda *_: ids)

    def picky(request: Any) -> Reply:
        if ids[7] in request.json["filters"]["video_ids"]:
            return error("invalid_params", "no such video")
        return fake.reply(request)

    fake.fail(picky, at="video/query", times=99)
    result = own(fake, tmp_path, posts=True)
    assert counts(result) == {"performance_metrics": (24, 24)}
    assert f"not loaded in full: post {ids[7]} (TikTok says invalid_params" in result.error
    assert result.exit_code == 1
    # 20, and the halves that it is in, with their other halves; then 5.
    assert len(fake.asked("video/query")) <= 12


def test_a_refusal_of_all_posts_is_not_asked_for_each_of_them(
    fake: FakeTikTok, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [str(post["id"]) for post in fake.posts]
    monkeypatch.setattr("loaders.live.tiktok.posts.posts_to_poll", lambda *_: ids)
    fake.fail(error("invalid_params", "fields are wrong"), at="video/query", times=999)
    result = own(fake, tmp_path, posts=True)
    assert (result.exit_code, len(fake.asked("video/query"))) == (1, 39)
    assert "the posts after them" in result.error
    # The next call begins anew.
    fake.faults.clear()
    assert counts(own(fake, tmp_path, posts=True)) == {"performance_metrics": (47, 47)}


def test_the_newest_refresh_token_is_kept_for_its_owner_alone(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    own(fake, tmp_path)
    file = tmp_path / "tokens.json"
    assert json.loads(file.read_text())["refresh"] == fake.refresh != REFRESH
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # The configured one is long spent; a second process goes on with the kept pair.
    assert own(fake, tmp_path).error == ""
    assert len(fake.asked("token")) == 1
    fake._access.clear()
    assert own(fake, tmp_path).error == ""
    assert len(fake.asked("token")) == 2


def test_a_refresh_token_that_does_not_change_is_kept_as_it_is(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    fake.rotates = False
    fake.lives = 1
    # A token a page, each got with what the one before gave.
    assert own(fake, tmp_path).error == ""
    assert len(fake.asked("token")) == 3
    assert json.loads((tmp_path / "tokens.json").read_text())["refresh"] == REFRESH


def test_what_a_refused_token_says_is_without_it(fake: FakeTikTok, tmp_path: Path) -> None:
    said = {"error": "invalid_grant", "error_description": f"{REFRESH} is spent"}
    fake.fail(Reply(said, 400), at="token")
    result = own(fake, tmp_path)
    assert result.error == "TikTok gives no access token (invalid_grant: *** is spent)."


def test_a_rotated_token_is_not_asked_for_where_it_cannot_be_kept(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    (tmp_path / "tokens.new").mkdir()
    assert own(fake, tmp_path).exit_code == 1
    assert fake.requests == []


def test_a_pair_that_a_kill_left_beside_its_place_is_the_newest(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    own(fake, tmp_path)
    file, beside = tmp_path / "tokens.json", tmp_path / "tokens.new"
    before = file.read_text()
    fake._access.clear()
    own(fake, tmp_path)
    file.rename(beside)
    file.write_text(before)
    fake.fail(Reply(drop=True), at="token", times=3)
    fake._access.clear()
    # Kept in its place before another is asked for, which may come to nothing.
    assert "the connection failed" in own(fake, tmp_path).error
    assert json.loads(file.read_text())["refresh"] == fake.refresh
    assert own(fake, tmp_path).error == ""
    assert not beside.exists()


def test_a_new_configured_token_takes_the_place_of_the_kept(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    own(fake, tmp_path)
    fake.refresh = "rft.authorised-anew-0123456789"
    fake._access.clear()
    assert own(fake, tmp_path, refresh_token=fake.refresh).error == ""


def test_a_spent_refresh_token_says_so(fake: FakeTikTok, tmp_path: Path) -> None:
    result = own(fake, tmp_path, refresh_token="rft.spent-0123456789abcdef")
    assert "invalid_grant: Refresh token is invalid or expired" in result.error
    assert result.hint.startswith("Authorise the app again, and set ACE_TIKTOK_REFRESH_TOKEN")


def test_a_wrong_client_is_not_blamed_on_the_refresh_token(
    fake: FakeTikTok, tmp_path: Path
) -> None:
    said = {"error": "invalid_client", "error_description": "Client key or secret is incorrect."}
    fake.fail(Reply(said, 401), at="token")
    result = own(fake, tmp_path)
    assert result.hint == "Check ACE_TIKTOK_CLIENT_KEY and ACE_TIKTOK_CLIENT_SECRET."


def test_a_missing_scope_is_named(fake: FakeTikTok, tmp_path: Path) -> None:
    fake.fail(error("scope_not_authorized", "The scope is missing.", 401), at="video/list")
    result = own(fake, tmp_path)
    assert result.hint == "Give the app the scope video.list, and authorise it again."


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_no_secret_is_said_or_kept(
    fake: FakeTikTok,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    debug: list[str],
) -> None:
    from common.settings import settings

    monkeypatch.chdir(tmp_path)
    values = {"HOME": str(tmp_path), "TIKTOK_URL": fake.url, "TIKTOK_CLIENT_KEY": KEY,
              "TIKTOK_CLIENT_SECRET": SECRET, "TIKTOK_REFRESH_TOKEN": REFRESH,
              "TIKTOK_RESEARCH_KEY": KEY, "TIKTOK_RESEARCH_SECRET": SECRET}  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"ACE_{name}", value)
    settings.cache_clear()
    fake.fail(error("invalid_params", f"the client {SECRET} may not", 400), at="research")
    told = []
    for call in (
        ["load", "tiktok-research", "--hashtag", "funny"],
        ["load", "tiktok"],
        ["load", "tiktok", "--posts"],
    ):
        code: Any = 0
        try:
            main([*debug, *call])
        except SystemExit as ended:
            code = ended.code
        except AceError as error_:
            traceback.print_exception(error_)  # what --debug lets Python do
            code = error_.exit_code
        told.append((code, *capfd.readouterr()))
    settings.cache_clear()
    assert [one[0] for one in told] == [1, 0, 0]
    assert "the client *** may not" in told[0][2]
    secrets = [SECRET, REFRESH, fake.refresh, *fake._access]
    said = "".join(out + err for _, out, err in told)
    assert not [one for one in secrets if one in said]
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "tokens.json":
            held = file.read_bytes()
            assert not [one for one in secrets if one.encode() in held], file
