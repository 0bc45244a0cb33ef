"""TikTok presets: Research API (recorded), Display API and scrapers (made by hand)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders.presets import PRESETS, PresetRecord

FIXTURES = Path(__file__).parents[1] / "fixtures/tiktok_research"


def research(name: str) -> list[PresetRecord]:
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    return list(PRESETS["tiktok-research"].records(document))


def only(preset: str, document: Any) -> PresetRecord:
    (record,) = PRESETS[preset].records(document)
    return record


def test_a_research_page_with_ids_of_twenty_digits() -> None:
    records = research("api_videos_response_page_2_of_2")
    assert len(records) == 27
    assert all(record.resource == "raw_videos" for record in records)
    assert records[0].values == {
        "external_id": "73207681965695992750",
        "platform": "tiktok",
        "caption": "#duet with @MarvelKitties2022 #cats ",
        "hashtags": ["cats", "duet"],
        "author": "s.clovis",
        "view_count": 4,
        "like_count": 6,
        "share_count": 0,
        "comment_count": 0,
    }
    assert records[0].extra == {
        "create_time": 1704499196,
        "music_id": 7159460238003800066,
        "region_code": "US",
    }
    assert records[-1].values["external_id"] == "7320768004067691818"


def test_null_bytes_are_handed_on_for_typing_to_replace() -> None:
    (record,) = research("api_videos_response_unicode_with_null_bytes")
    assert record.values["external_id"] == "7435406205763226897"
    assert record.values["author"] == "حموديالباشا\u0000\u0000\u0000\u0000\u0000\u00004"
    assert record.values["hashtags"] == ["ابوجبل", "تيك_توك", "تيم_الرافدين", "الباشا👑"]


def test_comments_are_refused_one_by_one_also_without_their_envelope() -> None:
    records = research("api_comments_response")
    assert [record.reason for record in records] == [
        "This is one of a list of comments, not a video of a query."
    ] * 6
    assert records[3].raw["text"] == "OMG so cute"
    bare = only("tiktok-research", records[3].raw)
    assert bare.reason == "This is a comment, not a video."


def test_an_omitted_field_stays_absent_and_video_id_is_the_documented_spelling() -> None:
    record = only("tiktok-research", {"video_id": 5, "view_count": 0})
    assert record.values == {"external_id": "5", "platform": "tiktok", "view_count": 0}


def test_an_empty_page_has_no_records_and_a_broken_one_is_refused() -> None:
    ok = {"code": "ok", "message": ""}
    assert not list(PRESETS["tiktok-research"].records({"data": {"videos": []}, "error": ok}))
    for data, reason in (
        ({}, "The response has no data.videos."),
        (None, "The response has no data.videos."),
        ({"videos": {}}, "The field data.videos is an object, not a list."),
    ):
        record = only("tiktok-research", {"data": data, "error": ok})
        assert record.reason == reason


OWN = {
    "id": "7320768196569599275",
    "title": "Serum",
    "create_time": 1704499196,
    "share_url": "https://www.tiktok.com/@ace/video/7320768196569599275",
    "like_count": 12,
    "comment_count": 0,
    "share_count": 3,
    "view_count": 4000000000,
}


def test_our_own_posts_become_polls() -> None:
    page = {
        "data": {"videos": [OWN, {**OWN, "id": "8", "view_count": None}], "has_more": False},
        "error": {"code": "ok", "message": ""},
    }
    first, second = PRESETS["tiktok-display"].records(page)
    assert first.resource == "performance_metrics"
    assert first.values == {
        "platform": "tiktok",
        "external_post_id": "7320768196569599275",
        "views": 4000000000,
        "likes": 12,
        "comments": 0,
        "shares": 3,
    }
    assert first.extra == {name: OWN[name] for name in ("title", "create_time", "share_url")}
    assert "views" not in second.values
    assert only("tiktok-display", OWN) == first


def test_what_is_no_poll_of_our_own_post_is_refused() -> None:
    assert "--preset tiktok-research" in only("tiktok-display", {"id": 1, "username": "a"}).reason
    assert "carries no views" in only("tiktok-display", {"id": "1", "title": "t"}).reason
    profile = {"data": {"user": {"follower_count": 3}}, "error": {"code": "ok", "message": ""}}
    assert only("tiktok-display", profile).reason == (
        "This is a user's profile, not a list of posts."
    )


ITEM = {
    "id": "7400000000000000001",
    "text": "Try this #skincare",
    "createTime": 1757000000,
    "authorMeta": {"id": "66", "name": "maria", "nickName": "Maria", "fans": 10},
    "musicMeta": {"musicName": "original"},
    "videoMeta": {"duration": 12},
    "diggCount": 145900,
    "shareCount": 7,
    "playCount": 1200000,
    "collectCount": 9,
    "commentCount": 0,
    "hashtags": [{"id": "1", "name": "skincare", "title": ""}, {"id": "2", "name": ""}],
}


def test_an_apify_item() -> None:
    record = only("apify-tiktok", ITEM)
    assert record.resource == "raw_videos"
    assert record.values == {
        "external_id": "7400000000000000001",
        "platform": "tiktok",
        "caption": "Try this #skincare",
        "hashtags": ["skincare"],
        "author": "maria",
        "view_count": 1200000,
        "like_count": 145900,
        "share_count": 7,
        "comment_count": 0,
    }
    assert record.extra == {
        "createTime": 1757000000,
        "authorMeta": {"id": "66", "nickName": "Maria", "fans": 10},
        "musicMeta": {"musicName": "original"},
        "videoMeta": {"duration": 12},
        "collectCount": 9,
        "hashtags": ITEM["hashtags"],
    }
    assert record.raw is ITEM


@pytest.mark.parametrize("mark", [".", "/"])
def test_an_apify_row_of_a_flattened_csv(mark: str) -> None:
    row = {
        "id": "7400000000000000001",
        "text": "hi",
        f"authorMeta{mark}name": "maria",
        f"authorMeta{mark}fans": "10",
        "playCount": "1200000",
        "diggCount": "",
        f"hashtags{mark}0{mark}name": "one",
        f"hashtags{mark}10{mark}name": "eleven",
        f"hashtags{mark}2{mark}name": "three",
        f"hashtags{mark}3{mark}name": "",
        "error": "",
    }
    record = only("apify-tiktok", row)
    assert record.values == {
        "external_id": "7400000000000000001",
        "platform": "tiktok",
        "caption": "hi",
        "hashtags": ["one", "three", "eleven"],
        "author": "maria",
        "view_count": "1200000",
    }
    assert record.extra == {f"authorMeta{mark}fans": "10"}


def test_hashtags_written_as_json_text_in_a_csv_cell() -> None:
    record = only("apify-tiktok", {"id": "1", "hashtags": '[{"name": "a"}, {"name": "b"}]'})
    assert record.values["hashtags"] == ["a", "b"]
    assert record.extra == {}
    broken = only("apify-tiktok", {"id": "1", "hashtags": "[{oops"})
    assert broken.values["hashtags"] == "[{oops"


def test_the_collector_of_drawrowfly_with_texts_for_numbers() -> None:
    wrapper = {"collector": [{**ITEM, "createTime": "1757000000", "playCount": "12"}, None]}
    first, second = PRESETS["apify-tiktok"].records(wrapper)
    assert first.values["view_count"] == "12"
    assert second.reason == "This is null, not a record."


def test_a_failed_input_of_the_scraper_is_refused_with_its_words() -> None:
    record = only(
        "apify-tiktok", {"url": "https://x", "error": "Post not found", "errorCode": "NOT_FOUND"}
    )
    assert record.resource is None
    assert record.reason == ("The platform answered with an error, code NOT_FOUND: Post not found.")


@pytest.mark.parametrize(
    "row",
    [
        {"video_id": "7017666017", "claim_status": "claim", "video_view_count": "5"},
        {"video_id": "dQw4w9WgXcQ", "view_count": "5", "channelTitle": "c"},
    ],
)
def test_a_row_of_another_layout_is_refused(row: dict[str, str]) -> None:
    record = only("tiktok-research", row)
    assert record.resource is None
    assert "Research API" in record.reason or "not a TikTok video's" in record.reason


def test_a_scraped_row_was_seen_when_it_was_scraped_and_its_id_has_no_guard() -> None:
    row = {
        "id": '="7361111111111111111"', "authorMeta/name": "lampshop", "playCount": "12.3K",
        "scrapedAt": "2024-07-02T00:00:00.000Z", "hashtags/0/name": "desk", "error": "",
    }  # fmt: skip
    record = only("apify-tiktok", row)
    assert record.values == {
        "external_id": "7361111111111111111",
        "platform": "tiktok",
        "hashtags": ["desk"],
        "author": "lampshop",
        "view_count": "12.3K",
        "collected_at": "2024-07-02T00:00:00.000Z",
    }
    assert record.extracted_at == "2024-07-02T00:00:00.000Z"
    assert only("apify-tiktok", {"playCount": 5, "id": "1"}).extracted_at is None
