"""The yt-dlp preset, on records made by hand from its documented fields."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.presets import PRESETS, PresetRecord

PRESET = PRESETS["yt-dlp"]
TIKTOK = {
    "id": "7320768196569599275",
    "extractor": "TikTok",
    "extractor_key": "TikTok",
    "title": "A title cut at seventy-two",
    "description": "A title cut at seventy-two characters #cats",
    "uploader": "ace.cats",
    "uploader_id": "6631",
    "channel": "Ace Cats",
    "view_count": 4000000000,
    "like_count": 12,
    "repost_count": 3,
    "save_count": 5,
    "comment_count": None,
    "timestamp": 1704499196,
    "upload_date": "20240106",
    "epoch": 1763830000,
    "formats": [{"url": "https://expires"}],
    "http_headers": {"User-Agent": "x"},
    "thumbnails": [{"url": "https://expires"}],
    "cookies": "secret=1",
    "url": "https://expires",
}


def only(document: Any) -> PresetRecord:
    (record,) = PRESET.records(document)
    return record


def test_a_tiktok_info() -> None:
    record = only(TIKTOK)
    assert record.resource == "raw_videos"
    assert record.values == {
        "external_id": "7320768196569599275",
        "platform": "tiktok",
        "caption": "A title cut at seventy-two characters #cats",
        "author": "ace.cats",
        "view_count": 4000000000,
        "like_count": 12,
        "share_count": 3,
        "collected_at": 1763830000,
    }
    assert record.extra == {
        "extractor": "TikTok",
        "extractor_key": "TikTok",
        "title": "A title cut at seventy-two",
        "uploader_id": "6631",
        "channel": "Ace Cats",
        "save_count": 5,
        "timestamp": 1704499196,
        "upload_date": "20240106",
    }


def test_a_youtube_info_has_its_title_channel_and_tags() -> None:
    record = only(
        {
            "id": "abc",
            "extractor": "youtube",
            "title": "T",
            "description": "D",
            "channel": "C",
            "uploader": "U",
            "uploader_id": "@u",
            "tags": ["a", "b"],
            "view_count": 5,
        }
    )
    assert record.values == {
        "external_id": "abc",
        "platform": "youtube",
        "caption": "T",
        "hashtags": ["a", "b"],
        "author": "C",
        "view_count": 5,
    }
    assert record.extra == {
        "extractor": "youtube", "description": "D", "uploader": "U", "uploader_id": "@u",
    }  # fmt: skip
    assert "hashtags" not in only({"id": "abc", "extractor": "youtube", "tags": []}).values


def test_an_instagram_info_never_takes_the_made_up_title() -> None:
    info = {"id": "C1", "extractor": "Instagram", "title": "Video by ace", "channel": "ace"}
    assert only(info).values == {"external_id": "C1", "platform": "instagram", "author": "ace"}


@pytest.mark.parametrize(
    ("extractor", "platform"),
    [
        ("youtube:tab", "youtube"),
        ("TikTok", "tiktok"),
        ("vm.tiktok", "tiktok"),
        ("twitter", "x"),
        ("twitter:spaces", "x"),
        ("instagram:story", "instagram"),
        ("facebook:reel", "facebook"),
        ("Vimeo", "vimeo"),
    ],
)
def test_the_platform_is_the_extractor(extractor: str, platform: str) -> None:
    assert only({"id": "1", "extractor": extractor}).values["platform"] == platform


def test_a_playlist_in_order_with_nested_lists_and_failures() -> None:
    playlist = {
        "_type": "playlist",
        "extractor": "youtube:tab",
        "epoch": 1763830000,
        "entries": [
            {"id": "a", "extractor": "youtube", "epoch": 1763830001},
            None,
            {"_type": "playlist", "entries": [{"_type": "url", "ie_key": "Youtube", "id": "b"}]},
            {"id": "c"},
        ],
    }
    records = list(PRESET.records(playlist))
    assert [record.values.get("external_id") for record in records] == ["a", None, "b", "c"]
    assert [record.values.get("collected_at") for record in records] == [
        1763830001, None, 1763830000, 1763830000,
    ]  # fmt: skip
    assert records[1].reason == "The playlist's entry is null: yt-dlp could not extract it."
    assert records[3].values["platform"] == "youtube"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"id": "1"}, "The record has no extractor"),
        ({"extractor": "youtube"}, "The field id is missing"),
        ({"_type": "playlist", "extractor": "youtube"}, "entries are null, no list"),
        ({"entries": {}, "extractor": "youtube"}, "entries are an object, no list"),
        ({"entries": ["x"], "extractor": "youtube"}, "This is text, not a record."),
    ],
)
def test_what_cannot_be_landed_says_why(document: Any, reason: str) -> None:
    record = only(document)
    assert record.resource is None
    assert reason in record.reason
