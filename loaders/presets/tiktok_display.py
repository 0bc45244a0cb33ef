"""TikTok Display API: our own posts from ``/v2/video/list/`` and ``/v2/video/query/``.

A video is a poll of our post and, where posts are wanted, the post itself. Its title is the
caption's beginning, so the caption is ``video_description``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from loaders.presets.base import (
    POLLS,
    POSTS,
    Fields,
    Preset,
    PresetRecord,
    Unusable,
    attempt,
    identifier,
    items_of,
    landed,
    polled,
    refused,
)


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    if "data" not in document:
        yield from _video(document, options["wanted"])
        return
    data = document["data"]
    if isinstance(data, dict) and "user" in data and "videos" not in data:
        yield refused(document, "This is a user's profile, not a list of posts.")
        return
    try:
        videos = items_of(document, "data", "videos")
    except Unusable as problem:
        yield refused(document, str(problem))
        return
    for video in videos:
        yield from _video(video, options["wanted"])


def _video(record: Any, wanted: tuple[str, ...]) -> Iterator[PresetRecord]:
    if POLLS in wanted:
        yield replace(attempt(_poll, record), meant=POLLS)
    if POSTS in wanted:
        yield replace(attempt(_post, record), meant=POSTS)


def _begun(record: dict[str, Any]) -> tuple[Fields, str]:
    if "username" in record or "region_code" in record:
        raise Unusable(
            "This looks like a video of the Research API, which is not one of our own posts: "
            "load it with --preset tiktok-research."
        )
    fields = Fields(record)
    return fields, identifier(fields.take("id"), "id", numeric=True)


def _poll(record: dict[str, Any]) -> PresetRecord:
    fields, post = _begun(record)
    counts = {
        "views": fields.take("view_count"),
        "likes": fields.take("like_count"),
        "comments": fields.take("comment_count"),
        "shares": fields.take("share_count"),
    }
    return polled(record, fields, "tiktok", post, counts)


def _post(record: dict[str, Any]) -> PresetRecord:
    fields, post = _begun(record)
    fields.drop("view_count", "like_count", "comment_count", "share_count")
    values = {
        "platform": "tiktok",
        "external_post_id": post,
        "caption": fields.take("video_description", "title"),
        "published_at": fields.take("create_time"),
    }
    return landed(POSTS, record, fields, values)


TIKTOK_DISPLAY = Preset(
    name="tiktok-display",
    source="tiktok",
    rows=False,
    help="TikTok Display API lists of our own posts (performance_metrics; with --adopt also "
    "published_posts).",
    reader=_read,
    options={"wanted": (POLLS,)},
    lands=(POLLS, POSTS),
)
