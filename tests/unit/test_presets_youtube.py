"""YouTube presets: recorded API responses and Kaggle's trending rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from loaders.presets import PRESETS, PresetRecord

FIXTURES = Path(__file__).parents[1] / "fixtures"
API = PRESETS["youtube-api"]
TRENDING = PRESETS["youtube-trending"]


def recorded(name: str) -> list[PresetRecord]:
    return list(API.records(json.loads((FIXTURES / "youtube_api" / f"{name}.json").read_text())))


def only(document: Any) -> PresetRecord:
    (record,) = API.records(document)
    return record


def test_a_page_of_a_chart_is_other_peoples_videos() -> None:
    records = recorded("videos__videos_chart_paged_2")
    assert [record.resource for record in records] == ["raw_videos"] * 3
    assert [record.values["external_id"] for record in records] == [
        "MKM90u7pf3U", "4MK8usgnvfo", "h107pApTY84",
    ]  # fmt: skip
    first = records[0]
    assert first.values.keys() == {"external_id", "platform", "caption", "hashtags", "author"}
    assert first.values["caption"] == "Kanye West - Closed On Sunday"
    assert first.values["author"] == "Kanye West"
    assert first.values["hashtags"][:3] == ["kanye", "kanyewest", "kanye west"]
    assert first.extra["kind"] == "youtube#video"
    assert first.extra["snippet"]["publishedAt"] == "2019-11-28T17:00:11.000Z"
    assert first.extra["snippet"].keys().isdisjoint({"title", "tags", "channelTitle"})


def test_a_response_without_pages_was_asked_by_id() -> None:
    (record,) = recorded("modeldata_videos__video_api_response")
    assert record.resource == "performance_metrics"
    assert record.values == {
        "platform": "youtube",
        "external_post_id": "D-lhorsDlUQ",
        "views": "7920",
        "likes": "190",
        "comments": "32",
    }
    assert record.extra["statistics"] == {"dislikeCount": "23", "favoriteCount": "0"}
    assert record.extra["snippet"]["title"] == "What are Actions on Google (Assistant on Air)"
    assert only(record.raw).values == record.values  # the bare item


def test_a_video_without_its_statistics_says_nothing_about_the_post() -> None:
    (record,) = recorded("videos__videos_info_single")
    assert record.resource is None
    assert record.reason == (
        "Post D-lhorsDlUQ carries no views, likes, comments or shares: "
        "ask the platform for its counts."
    )


def test_hidden_counts_stay_absent() -> None:
    record = only({"kind": "youtube#video", "id": "a", "statistics": {"viewCount": "0"}})
    assert record.values == {"platform": "youtube", "external_post_id": "a", "views": "0"}


def test_batch_statistics() -> None:
    response = {
        "kind": "youtube#batchGetStatsResponse",
        "items": [
            {
                "kind": "youtube#videoStats",
                "id": "abc",
                "snippet": {"publishTime": "2026-01-02T03:04:05Z"},
                "statistics": {"viewCount": "18446744073709551615", "likeCount": "2"},
            }
        ],
    }
    record = only(response)
    assert record.resource == "performance_metrics"
    assert record.values["views"] == "18446744073709551615"
    assert record.extra == {
        "kind": "youtube#videoStats",
        "snippet": {"publishTime": "2026-01-02T03:04:05Z"},
    }


def test_search_results_are_videos_without_counts() -> None:
    first, second = recorded("search__search_by_mine")
    assert first.resource == "raw_videos"
    assert first.values == {
        "external_id": "JE8xdDp5B8Q",
        "platform": "youtube",
        "caption": "华山日出",
        "author": "ikaros-life",
    }
    assert first.extra["snippet"]["description"] == "冷冷的山头"
    assert second.values["external_id"] == "Xfrcfiho_xM"
    assert {r.reason for r in recorded("search__search_channels")} == {
        "This search result is not a video but: channel."
    }


def test_the_region_of_a_search_goes_with_its_results() -> None:
    item = {"kind": "youtube#searchResult", "id": {"videoId": "a"}, "snippet": {"title": "t"}}
    response = {"kind": "youtube#searchListResponse", "regionCode": "US", "items": [item]}
    assert only(response).extra == {"kind": "youtube#searchResult", "regionCode": "US"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("channels__info", "youtube#channel"),
        ("videos__get_rating_response", "youtube#videoGetRatingResponse"),
    ],
)
def test_other_kinds_are_refused_by_name(name: str, kind: str) -> None:
    (record,) = recorded(name)
    assert record.resource is None
    assert record.reason == (
        f"A {kind} is neither a video with its statistics nor a search result."
    )


def test_responses_cut_down_by_fields_still_tell_what_they_are() -> None:
    video = {"id": "a", "statistics": {"viewCount": "1"}}
    assert only({"items": [video]}).resource == "performance_metrics"
    assert only({"nextPageToken": "x", "items": [video]}).resource == "raw_videos"
    assert only({"items": [{"id": {"videoId": "b"}}]}).values["external_id"] == "b"
    channel = {"id": "UC1", "statistics": {"viewCount": "1", "subscriberCount": "2"}}
    assert only({"items": [channel]}).resource is None


def test_a_list_that_found_nothing_has_no_records() -> None:
    assert not list(API.records({"kind": "youtube#videoListResponse", "pageInfo": {}}))
    assert not list(API.records({"kind": "youtube#videoListResponse", "items": []}))


def rows() -> list[PresetRecord]:
    path = FIXTURES / "youtube_trending/US_2017.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [record for row in csv.DictReader(file) for record in TRENDING.records(row)]


def test_the_layout_of_2017() -> None:
    first, iphone, untagged, hidden, newline, last = rows()
    assert first.resource == "raw_videos"
    assert first.values["hashtags"][:2] == ["logan paul vlog", "logan paul"]
    assert {name: first.values[name] for name in first.values if name != "hashtags"} == {
        "external_id": "XpVt6Z1Gjjo",
        "platform": "youtube",
        "caption": "1 YEAR OF VLOGGING -- HOW LOGAN PAUL CHANGED YOUTUBE FOREVER!",
        "author": "Logan Paul Vlogs",
        "view_count": "4394029",
        "like_count": "320053",
        "comment_count": "46245",
        "collected_at": "2017-09-13T00:00:00Z",
    }
    assert first.extra == {
        "category_id": "24",
        "dislikes": "5931",
        "thumbnail_link": "https://i.ytimg.com/vi/XpVt6Z1Gjjo/default.jpg",
    }
    assert "comment_count" not in iphone.values
    assert iphone.extra["comment_total"] == "0"
    assert "hashtags" not in untagged.values
    assert hidden.values.keys().isdisjoint({"like_count", "comment_count"})
    assert hidden.extra["likes"] == hidden.extra["dislikes"] == hidden.extra["comment_total"] == "0"
    assert newline.values["caption"].endswith(r"Wait for it \n\nNewsflare")
    assert last.values["collected_at"] == "2017-10-22T00:00:00Z"


# Made by hand: the layout of the data set of 2020, of which no rows may ship.
ROW_2020 = {
    "video_id": "abc_DEF-123",
    "title": "A title",
    "publishedAt": "2020-08-11T19:20:14Z",
    "channelId": "UC1",
    "channelTitle": "A channel",
    "categoryId": "22",
    "trending_date": "2020-08-12T00:00:00Z",
    "tags": "one|two three",
    "view_count": "1514614",
    "likes": "0",
    "dislikes": "0",
    "comment_count": "0",
    "thumbnail_link": "https://i.ytimg.com/vi/abc_DEF-123/default.jpg",
    "comments_disabled": "False",
    "ratings_disabled": "False",
    "description": "",
}


def trending(**changes: Any) -> PresetRecord:
    (record,) = TRENDING.records({**ROW_2020, **changes})
    return record


def test_the_layout_of_2020_keeps_a_zero_unless_its_flag_says_it_is_off() -> None:
    record = trending()
    assert record.values == {
        "external_id": "abc_DEF-123",
        "platform": "youtube",
        "caption": "A title",
        "hashtags": ["one", "two three"],
        "author": "A channel",
        "view_count": "1514614",
        "like_count": "0",
        "comment_count": "0",
        "collected_at": "2020-08-12T00:00:00Z",
    }
    assert "description" not in record.extra  # an empty cell is no value
    off = trending(comments_disabled="True", ratings_disabled="TRUE", tags="[None]")
    assert off.values.keys().isdisjoint({"like_count", "comment_count", "hashtags"})
    assert off.extra["comments_disabled"] == "True"
    assert trending(comments_disabled="True", comment_count="5").values["comment_count"] == "5"


def test_the_layout_of_2017_to_2018() -> None:
    row = {
        "video_id": "a",
        "trending_date": "17.14.11",
        "channel_title": "C",
        "publish_time": "2017-11-13T17:13:01.000Z",
        "tags": 'SHANtell martin|"two words"|"x"',
        "views": "748374",
        "comment_count": "15954",
        "comments_disabled": "False",
    }
    (record,) = TRENDING.records(row)
    assert record.values["collected_at"] == "2017-11-14T00:00:00Z"
    assert record.values["hashtags"] == ["SHANtell martin", "two words", "x"]
    assert record.values["comment_count"] == "15954"
    assert record.extra["publish_time"] == "2017-11-13T17:13:01.000Z"


@pytest.mark.parametrize(
    ("day", "year", "collected_at"),
    [
        ("13.09", None, "2017-09-13T00:00:00Z"),
        ("31.12", None, "2017-12-31T00:00:00Z"),
        ("12.09", None, "2018-09-12T00:00:00Z"),
        ("1.1", None, "2018-01-01T00:00:00Z"),
        ("13.09", 2021, "2021-09-13T00:00:00Z"),
        ("01.01", "2021", "2021-01-01T00:00:00Z"),
        ("29.02", 2020, "2020-02-29T00:00:00Z"),
    ],
)
def test_the_year_of_a_day_without_one(day: str, year: Any, collected_at: str) -> None:
    (record,) = TRENDING.with_options(year=year).records({"video_id": "a", "date": day})
    assert record.values["collected_at"] == collected_at


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"trending_date": "29.02"}, "The trending date '29.02' is not a day of 2018."),
        ({"trending_date": "17.40.11"}, "The trending date '17.40.11' is not a day of 2017."),
        ({"trending_date": ""}, "The row has neither a trending_date nor a date."),
        ({"video_id": ""}, "The field video_id is missing, so nothing says which post this is."),
        (
            {"video_id": "#NAME?"},
            "The id '#NAME?' was spoilt by a spreadsheet; export it again (field video_id).",
        ),
        ({None: ["a"]}, "The row has more fields than the header."),
    ],
)
def test_rows_that_cannot_be_landed_say_why(changes: dict[Any, Any], reason: str) -> None:
    (record,) = TRENDING.records({**ROW_2020, **changes})
    assert record.resource is None
    assert record.reason == reason
