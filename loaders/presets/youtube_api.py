"""YouTube Data API v3 responses: videos, batchGetStats, searches, bare items.

``videos.list`` does not say how it was asked, but only a chart or a rating list
has pages: a response with a page token is a list of other people's videos
(raw_videos), one without was asked by id, which is how our own posts are polled
(performance_metrics), and the posts themselves where they are wanted. A chart that fits one
page cannot be told apart; whoever asked for it says so with the option ``others``.

Caption is the title, which is what viewers see; the description, the channel's
id and all else stay in the extra. Author is the channel's title.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loaders.presets.base import (
    POLLS,
    POSTS,
    Fields,
    Preset,
    PresetRecord,
    Unusable,
    attempt,
    describe,
    identifier,
    landed,
    polled,
    refused,
)

_ITEM_OF_RESPONSE = {
    "youtube#videoListResponse": "youtube#video",
    "youtube#batchGetStatsResponse": "youtube#videoStats",
    "youtube#searchListResponse": "youtube#searchResult",
}


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    kind = document.get("kind")
    if "items" not in document:
        # A list response that found nothing may come without `items`.
        if not (isinstance(kind, str) and kind.endswith("Response")):
            yield from _records(document, {}, kind, options)
        return
    items = document["items"]
    if not isinstance(items, list):
        yield refused(document, f"The field items is {describe(items)}, not a list.")
        return
    for item in items:
        yield from _records(item, document, kind, options)


def _records(
    item: Any, response: dict[str, Any], response_kind: Any, options: Mapping[str, Any]
) -> Iterator[PresetRecord]:
    paged = bool(response.get("nextPageToken") or response.get("prevPageToken"))
    kind = _kind(item, response_kind)
    others = kind == "youtube#video" and (paged or options["others"])
    if others or kind not in ("youtube#video", "youtube#videoStats"):
        yield attempt(_others, item, response, kind or response_kind)
        return
    if POLLS in options["wanted"]:
        yield attempt(_poll, item)
    if POSTS in options["wanted"]:
        yield attempt(_post, item)


def _kind(item: Any, response_kind: Any) -> Any:
    if not isinstance(item, dict):
        return None
    return item.get("kind") or _ITEM_OF_RESPONSE.get(str(response_kind)) or _guess(item)


def _others(item: dict[str, Any], response: dict[str, Any], kind: Any) -> PresetRecord:
    if kind == "youtube#searchResult":
        return _search_result(item, response)
    if kind == "youtube#video":
        return _trending(item, Fields(item), "id", response)
    what = f"A {kind}" if kind else "A record without a kind"
    raise Unusable(f"{what} is neither a video with its statistics nor a search result.")


def _guess(item: dict[str, Any]) -> str | None:
    """The kind of an item whose response was asked for with ``fields=``."""
    key, statistics = item.get("id"), item.get("statistics")
    if isinstance(key, dict):
        return "youtube#searchResult"
    if isinstance(statistics, dict) and key and "subscriberCount" not in statistics:
        return "youtube#video"
    return None


def _search_result(item: dict[str, Any], response: dict[str, Any]) -> PresetRecord:
    key = item.get("id")
    if isinstance(key, dict) and key.get("videoId") is None:
        found = str(key.get("kind") or "no video").removeprefix("youtube#")
        raise Unusable(f"This search result is not a video but: {found}.")
    fields = Fields(item)
    path = "id.videoId" if isinstance(key, dict) else "id"
    return _trending(item, fields, path, response)


def _trending(
    item: dict[str, Any], fields: Fields, path: str, response: dict[str, Any]
) -> PresetRecord:
    external_id = identifier(fields.take(path), path)
    if response.get("regionCode") is not None:
        fields.put("regionCode", response["regionCode"])
    return landed(
        "raw_videos",
        item,
        fields,
        {
            "external_id": external_id,
            "platform": "youtube",
            "caption": fields.take("snippet.title"),
            "hashtags": fields.take("snippet.tags"),
            "author": fields.take("snippet.channelTitle"),
            "view_count": fields.take("statistics.viewCount"),
            "like_count": fields.take("statistics.likeCount"),
            "comment_count": fields.take("statistics.commentCount"),
        },
    )


def _poll(item: dict[str, Any]) -> PresetRecord:
    fields = Fields(item)
    post = identifier(fields.take("id"), "id")
    counts = {
        "views": fields.take("statistics.viewCount"),
        "likes": fields.take("statistics.likeCount"),
        "comments": fields.take("statistics.commentCount"),
    }
    told = {"is_ai_generated": fields.take("status.containsSyntheticMedia")}
    return polled(item, fields, "youtube", post, counts, told)


def _post(item: dict[str, Any]) -> PresetRecord:
    fields = Fields(item)
    post = identifier(fields.take("id"), "id")
    fields.drop("statistics")
    values = {
        "platform": "youtube",
        "external_post_id": post,
        "caption": fields.take("snippet.title"),
        "hashtags": fields.take("snippet.tags"),
        "published_at": fields.take("snippet.publishedAt", "snippet.publishTime"),
    }
    return landed(POSTS, item, fields, values)


YOUTUBE_API = Preset(
    name="youtube-api",
    source="youtube",
    rows=False,
    help="YouTube Data API responses: charts and searches (raw_videos), videos by id "
    "(performance_metrics; with --adopt also published_posts).",
    reader=_read,
    options={"wanted": (POLLS,), "others": False},
    lands=("raw_videos", POLLS, POSTS),
)
