"""TikTok Display API: our own posts from ``/v2/video/list/`` and ``/v2/video/query/``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loaders.presets.base import (
    Fields,
    Preset,
    PresetRecord,
    Unusable,
    attempt,
    each_of,
    identifier,
    polled,
    refused,
)


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    if "data" not in document:
        yield attempt(_video, document)
        return
    data = document["data"]
    if isinstance(data, dict) and "user" in data and "videos" not in data:
        yield refused(document, "This is a user's profile, not a list of posts.")
        return
    yield from each_of(document, _video, "data", "videos")


def _video(record: dict[str, Any]) -> PresetRecord:
    if "username" in record or "region_code" in record:
        raise Unusable(
            "This looks like a video of the Research API, which is not one of our own posts: "
            "load it with --preset tiktok-research."
        )
    fields = Fields(record)
    post = identifier(fields.take("id"), "id", numeric=True)
    counts = {
        "views": fields.take("view_count"),
        "likes": fields.take("like_count"),
        "comments": fields.take("comment_count"),
        "shares": fields.take("share_count"),
    }
    return polled(record, fields, "tiktok", post, counts)


TIKTOK_DISPLAY = Preset(
    name="tiktok-display",
    source="tiktok",
    rows=False,
    help="TikTok Display API lists of our own posts (performance_metrics).",
    reader=_read,
)
