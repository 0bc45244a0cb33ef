"""What exports and APIs tell beyond counts, in the units of ``schema.TOLD``."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.presets import PRESETS
from loaders.presets.told import (
    seconds_of,
    seconds_of_milliseconds,
    share_not_skipped,
    share_of_percent,
    share_of_signed_percent,
)
from loaders.records import type_records
from loaders.schema import TOLD

POSTS = {
    "tiktok-studio": {"Video link": "7361111111111111111", "Total views": "9"},
    "youtube-studio": {"Content": "a1b2c3d4e5F", "Views": "9"},
    "meta-business-suite": {"Post ID": "17890000000000001", "Permalink": "x", "Views": "9"},
}


def told(preset: str, document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the only poll of a document is told, as landed, and its extra."""
    (poll,) = (
        record
        for record in PRESETS[preset].records(document)
        if record.resource == "performance_metrics"
    )
    frame, rejected = type_records("performance_metrics", [poll.values])
    assert not rejected
    row = frame.to_dicts()[0]
    measures = (*TOLD, "completion_rate", "watch_time_ms")
    return {name: row[name] for name in measures if row[name] is not None}, poll.extra


@pytest.mark.parametrize(
    ("read", "written", "expected"),
    [
        (share_of_percent, "4.5", 0.045),
        (share_of_percent, "4.5 %", 0.045),
        (share_of_percent, 100, 1.0),
        (share_of_percent, "100.1", None),
        (share_of_percent, "-1", None),
        (share_of_percent, "4,5", None),
        (share_of_percent, True, None),
        (share_of_percent, None, None),
        (share_of_signed_percent, "34.2%", 0.342),
        (share_of_signed_percent, "34.2", None),
        (share_of_signed_percent, "0.342", None),
        (seconds_of, "0:01:05", 65.0),
        (seconds_of, "1:05", 65.0),
        (seconds_of, "1:00:00.5", 3600.5),
        (seconds_of, "11.5s", 11.5),
        (seconds_of, "1m 5s", 65.0),
        (seconds_of, "2h", 7200.0),
        (seconds_of, "11.5", None),
        (seconds_of, 11.5, None),
        (seconds_of, "", None),
        (seconds_of, "s", None),
        (seconds_of, "soon", None),
        (seconds_of_milliseconds, 11500, 11.5),
        (seconds_of_milliseconds, "11500", 11.5),
        (seconds_of_milliseconds, {"a": 1}, None),
        (share_not_skipped, 40, 0.6),
        (share_not_skipped, 0.4, 0.6),
        (share_not_skipped, 0, 1.0),
        (share_not_skipped, 101, None),
        (share_not_skipped, "n/a", None),
    ],
)
def test_readers(read: Any, written: Any, expected: float | None) -> None:
    assert read(written) == expected


@pytest.mark.parametrize(
    ("preset", "cells", "expected", "extra"),
    [
        (
            "tiktok-studio",
            {"Average watch time": "11.5s", "Watched full video": "34.2%", "Saves": "12",
             "Reached audience": "700", "New followers": "3"},
            {"average_watch_seconds": 11.5, "completion_rate": 0.342, "saves": 12, "reach": 700,
             "followers_gained": 3},
            {},
        ),
        # What does not say its unit is not guessed.
        (
            "tiktok-studio",
            {"Average watch time": "11.5", "Watched full video": "34.2"},
            {},
            {"Average watch time": "11.5", "Watched full video": "34.2"},
        ),
        (
            "youtube-studio",
            {"Average view duration": "0:00:35", "Impressions": "1,096", "Unique viewers": "8",
             "Impressions click-through rate (%)": "4.5", "Subscribers": "-2",
             "Average percentage viewed (%)": "81.2"},
            {"average_watch_seconds": 35.0, "impressions": 1096, "reach": 8,
             "click_through_rate": 0.045, "followers_gained": -2},
            {"Average percentage viewed (%)": "81.2"},
        ),
        (
            "meta-business-suite",
            {"Reach": "800", "Saves": "7", "Follows": "1", "Post type": "IG reel"},
            {"reach": 800, "saves": 7, "followers_gained": 1},
            {"Permalink": "x", "Post type": "IG reel"},
        ),
    ],
)  # fmt: skip
def test_exports(
    preset: str, cells: dict[str, str], expected: dict[str, Any], extra: dict[str, Any]
) -> None:
    assert told(preset, POSTS[preset] | cells) == (expected, extra)


def test_a_row_with_nothing_but_what_is_told_is_no_poll() -> None:
    row = POSTS["meta-business-suite"] | {"Views": "", "Reach": "800"}
    (poll, _) = PRESETS["meta-business-suite"].records(row)
    assert poll.resource is None
    assert "carries no views" in poll.reason


def test_insights() -> None:
    values = {"views": 9, "reach": 8, "saved": 7, "follows": 1, "impressions": 30,
              "ig_reels_avg_watch_time": 11500, "reels_skip_rate": 40.0}  # fmt: skip
    expected = {"reach": 8, "saves": 7, "followers_gained": 1, "impressions": 30,
                "average_watch_seconds": 11.5, "three_second_rate": 0.6}  # fmt: skip
    items = [
        {"name": name, "period": "lifetime", "values": [{"value": value}],
         "id": f"17846368219941692/insights/{name}/lifetime"}
        for name, value in values.items()
    ]  # fmt: skip
    assert told("instagram-graph", {"data": items}) == (expected, {})
    media = {"id": "17846368219941692", "media_type": "VIDEO", "like_count": 3,
             "insights": {"data": items}}  # fmt: skip
    assert told("instagram-graph", media)[0] == expected


@pytest.mark.parametrize(("label", "expected"), [(True, "true"), (False, "false")])
def test_the_label_of_youtube(label: bool, expected: str) -> None:
    video = {"kind": "youtube#video", "id": "a1b2c3d4e5F", "statistics": {"viewCount": "9"},
             "status": {"privacyStatus": "public", "containsSyntheticMedia": label}}  # fmt: skip
    assert told("youtube-api", video) == (
        {"is_ai_generated": expected},
        {"status": {"privacyStatus": "public"}, "kind": "youtube#video"},
    )
