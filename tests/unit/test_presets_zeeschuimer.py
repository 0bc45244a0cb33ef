"""Zeeschuimer's TikTok items (made by hand): counts, tags, the time of collection."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import load_files
from loaders.landing import Landing
from loaders.presets import PRESETS, PresetRecord
from loaders.retry import retry_rejected
from loaders.values import KINDS

SEEN = 1_714_000_000_000  # 2024-04-24 23:06:40 UTC, in milliseconds


def item(**changes: Any) -> dict[str, Any]:
    """A post as a page of TikTok has it."""
    return {
        "id": "7361111111111111111",
        "desc": "lamp #desk",
        "createTime": 1713900000,
        "author": {"id": "55", "uniqueId": "lampshop", "nickname": "Lamp Shop"},
        "challenges": [{"id": "9", "title": "Desk"}, {"id": "8", "title": "lamp"}],
        "textExtra": [{"hashtagName": "desk"}, {"hashtagName": ""}, {"hashtagName": "light"}],
        "stats": {"playCount": 1200000, "diggCount": 45000, "shareCount": 7, "commentCount": 31},
        "statsV2": {"playCount": "1234567", "diggCount": "45678", "commentCount": "31"},
        "video": {"duration": 14, "playAddr": "https://v16.example/x?expire=1"},
        "isAd": False,
        **changes,
    }


def collected(post: Any, **changes: Any) -> dict[str, Any]:
    """The extension's envelope around it."""
    return {
        "nr": 4, "id": 4, "item_id": "7361111111111111111", "timestamp_collected": SEEN,
        "source_platform": "tiktok.com", "data": post, **changes,
    }  # fmt: skip


def only(document: Any) -> PresetRecord:
    (record,) = PRESETS["zeeschuimer-tiktok"].records(document)
    return record


def test_exact_counts_both_lists_of_tags_and_the_time_of_collection() -> None:
    record = only(collected(item()))
    assert record.resource == "raw_videos"
    assert record.values == {
        "external_id": "7361111111111111111",
        "platform": "tiktok",
        "caption": "lamp #desk",
        "hashtags": ["Desk", "lamp", "light"],
        "author": "lampshop",
        "view_count": "1234567",
        "like_count": "45678",
        "share_count": 7,
        "comment_count": "31",
        "collected_at": SEEN,
    }
    assert record.extracted_at == SEEN
    assert record.extra["zeeschuimer"]["id"] == 4
    assert record.extra["video"] == {"duration": 14}
    assert record.extra["author"] == {"id": "55", "nickname": "Lamp Shop"}


@pytest.mark.parametrize(
    ("document", "values"),
    [
        (collected(item(author="lampshop", nickname="L")), {"author": "lampshop"}),
        (collected(item(author=None)), {"author": None}),
        (collected(item(statsV2={"playCount": ""})), {"view_count": 1200000}),
        (collected(item(statsV2=None, stats=None)), {"view_count": None, "like_count": None}),
        (collected(item(challenges=None)), {"hashtags": ["desk", "light"]}),
        (collected(item(challenges=[], textExtra={})), {"hashtags": None}),
        (collected(item(id=None)), {"external_id": "7361111111111111111"}),
        # Met again and updated: the counts are those of then.
        (collected(item(), last_updated=SEEN + 5), {"collected_at": SEEN + 5}),
        (collected(item(isAd=True)), {"external_id": "7361111111111111111"}),
        # As 4CAT exports it.
        ({**item(), "__import_meta": {"timestamp_collected": SEEN}}, {"collected_at": SEEN}),
    ],
)
def test_other_shapes_of_an_item(document: dict[str, Any], values: dict[str, Any]) -> None:
    record = only(document)
    assert {name: record.values.get(name) for name in values} == values
    assert "__import_meta" not in record.extra


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (collected(item(), source_platform="instagram.com"), "collected from instagram.com, not"),
        (collected(item(liveRoomInfo={"title": "x"})), "a live stream, not a post"),
        (collected({"cid": "1", "text": "nice", "aweme_id": "2"}), "a comment, not a post"),
        (collected([1]), "The field data is a list, not a post"),
        (collected({"id": "1", "title": "x"}), "none of the fields of a TikTok post"),
        (collected(item(id=7.361111111111111e18)), "was rounded"),
        (collected(item(id="7.36E+18")), "spoilt by a spreadsheet"),
        (collected(item(id="abc")), "which has digits"),
        (collected(item(id=None), item_id=None), "The field data.id is missing"),
    ],
)
def test_what_is_no_post_is_refused(document: dict[str, Any], reason: str) -> None:
    record = only(document)
    assert record.resource is None
    assert reason in record.reason


def landed(landing: Landing) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(load.file) for load in landing.loads())


@pytest.mark.parametrize(
    ("options", "known_at"),
    [
        ({}, datetime(2024, 4, 24, 23, 6, 40, tzinfo=UTC)),
        ({"extracted_at": "2024-05-01T00:00:00Z"}, datetime(2024, 5, 1, tzinfo=UTC)),
    ],
)
def test_an_item_was_known_when_it_was_collected_unless_told(
    tmp_path: Path, options: dict[str, Any], known_at: datetime
) -> None:
    landing = Landing(tmp_path / "landing")
    lines = [collected(item()), collected(item(), timestamp_collected="soon")]
    path = tmp_path / "zeeschuimer-export.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (result,) = load_files(landing, [path], preset="zeeschuimer-tiktok", **options)
    assert (result.source, result.resource) == ("files", "raw_videos")
    assert (result.accepted, result.rejected) == (1, 1)
    assert landed(landing)["_extracted_at"].to_list() == [known_at]
    (rejected,) = landing.rejected()
    assert "'soon' is not a" in rejected.reason
    assert retry_rejected(landing) == []


def test_a_retry_leaves_an_item_known_when_it_was_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = Landing(tmp_path / "landing")
    path = tmp_path / "zeeschuimer-export.ndjson"
    path.write_text(json.dumps(collected(item(statsV2={"playCount": "many"}))))
    load_files(landing, [path], preset="zeeschuimer-tiktok")
    monkeypatch.setitem(KINDS, "integer", lambda value, typing: 5)
    (load,) = retry_rejected(landing)
    assert pl.read_parquet(load.file)["_extracted_at"].to_list() == [
        datetime(2024, 4, 24, 23, 6, 40, tzinfo=UTC)
    ]
