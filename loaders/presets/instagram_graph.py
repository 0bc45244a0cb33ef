"""Instagram Graph API: media, stories, hashtags, business discovery, insights.

Our own media (performance_metrics, and published_posts where those are wanted) are those
asked for by id, those on the ``/media`` and ``/stories`` edges, and those that show a field
which Instagram gives only to the owner; hashtag, tagged, mentioned and discovered media are
other people's (raw_videos). The edge is read from the address of the next or
previous page where there is one (the address, which holds the caller's token,
is not kept).

Not kept: paging, and of a discovered account everything but its username.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

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
from loaders.presets.instagram_insights import counts_of, fold, is_insight, observed, told_of

_OWN_EDGES = frozenset({"media", "stories", "live_media"})
_OTHERS_EDGES = frozenset({"top_media", "recent_media", "tags"})
_OWNER_FIELDS = frozenset({
    "username", "owner", "shortcode", "ig_id", "media_product_type", "is_comment_enabled",
    "is_shared_to_feed", "alt_text", "view_count", "reposts_count", "saved_count",
    "shares_count", "total_like_count", "total_comments_count", "total_views_count", "insights",
})  # fmt: skip
#: They belong to polls and are no part of a post.
_COUNT_FIELDS = frozenset({
    "like_count", "comments_count", "view_count", "reposts_count", "saved_count",
    "shares_count", "total_like_count", "total_comments_count", "total_views_count",
})  # fmt: skip
_MEDIA_FIELDS = frozenset({
    "media_type", "media_url", "permalink", "media_product_type", "like_count", "view_count",
    "comments_count", "thumbnail_url", "shortcode",
})  # fmt: skip
#: What a record that is no media must be, by fields only that kind has.
_KINDS = (
    ({"quota_usage"}, "a publishing limit"),
    ({"product_id", "catalog_id"}, "a catalog or a product"),
    ({"text"}, "a comment"),
    ({"followers_count", "media_count", "biography", "profile_picture_url"}, "a user's profile"),
)


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    if "data" in document:
        yield from _page(document, options)
    elif "business_discovery" in document:
        yield from _discovery(document["business_discovery"], document)
    elif isinstance(document.get("mentioned_media"), dict):
        yield attempt(_others_media, document["mentioned_media"], None)
    elif "mentioned_comment" in document:
        yield refused(document, "This is a comment, not a media.")
    elif _is_map_of_ids(document):
        for record in document.values():
            yield from _records([record], options, own=True)
    else:
        yield from _records([document], options, own=True)


def _page(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    data = document["data"]
    if not isinstance(data, list):
        yield refused(document, f"The field data is {describe(data)}, not a list.")
        return
    yield from _records(data, options, own=_is_own(data, document.get("paging")))


def _records(data: list[Any], options: Mapping[str, Any], *, own: bool) -> Iterator[PresetRecord]:
    insights = [item for item in data if is_insight(item)]
    yield from fold(insights)
    for item in data:
        if is_insight(item):
            continue
        if own:
            yield from _own(item, options["wanted"])
        else:
            yield attempt(_others_media, item, None)


def _own(item: Any, wanted: Collection[str]) -> Iterator[PresetRecord]:
    """The poll, then the post, as far as wanted; a refusal of both is told once."""
    poll = replace(attempt(_own_media, item), meant=POLLS)
    post = replace(attempt(_own_post, item), meant=POSTS)
    if set(wanted) != {POSTS}:
        yield poll
    if POSTS in wanted and (post.resource or set(wanted) == {POSTS}):
        yield post


def _discovery(account: Any, document: dict[str, Any]) -> Iterator[PresetRecord]:
    media = account.get("media") if isinstance(account, dict) else None
    if media is None:
        yield refused(document, "This is a discovered user's profile without media.")
        return
    data = media.get("data") if isinstance(media, dict) else None
    if not isinstance(data, list):
        yield refused(document, f"The discovered media are {describe(data)}, not a list.")
        return
    for item in data:
        yield attempt(_others_media, item, account.get("username"))


def _own_media(record: dict[str, Any]) -> PresetRecord:
    _insist_on_media(record)
    fields = Fields(record)
    post = identifier(fields.take("id"), "id", numeric=True)
    counts = {
        "views": fields.take("view_count"),
        "likes": fields.take("like_count"),
        "comments": fields.take("comments_count"),
        "shares": fields.take("shares_count"),
    }
    metrics = _nested_insights(record)
    for column, value in counts_of(metrics).items():
        if counts.get(column) is None:
            counts[column] = value
    told = {
        "saves": fields.take("saved_count"),
        "is_ai_generated": fields.take("is_ai_generated"),
    } | told_of(metrics)
    return polled(record, fields, "instagram", post, counts, told)


def _own_post(record: dict[str, Any]) -> PresetRecord:
    _insist_on_media(record)
    fields = Fields(record)
    values = {
        "platform": "instagram",
        "external_post_id": identifier(fields.take("id"), "id", numeric=True),
        "caption": fields.take("caption"),
        "published_at": fields.take("timestamp"),
    }
    fields.drop(*_COUNT_FIELDS, "insights")
    return landed(POSTS, record, fields, values)


def _others_media(record: dict[str, Any], author: Any) -> PresetRecord:
    _insist_on_media(record)
    fields = Fields(record)
    return landed(
        "raw_videos",
        record,
        fields,
        {
            "external_id": identifier(fields.take("id"), "id", numeric=True),
            "platform": "instagram",
            "caption": fields.take("caption"),
            "author": fields.take("username") or author,
            "view_count": fields.take("view_count"),
            "like_count": fields.take("like_count"),
            "share_count": fields.take("shares_count"),
            "comment_count": fields.take("comments_count"),
        },
    )


def _nested_insights(record: dict[str, Any]) -> dict[str, Any]:
    """Numbers of ``fields=insights.metric(...)``; the insights stay in the extra."""
    insights = record.get("insights")
    items = insights.get("data") if isinstance(insights, dict) else None
    if not isinstance(items, list):
        return {}
    return {item["name"]: observed(item) for item in items if is_insight(item)}


def _insist_on_media(record: dict[str, Any]) -> None:
    """Unusable, naming what the record is, unless it is a media."""
    if not record.keys().isdisjoint(_MEDIA_FIELDS) and "text" not in record:
        return
    for names, what in _KINDS:
        if not record.keys().isdisjoint(names):
            raise Unusable(f"This is {what}, not a media.")
    if record.keys() == {"id", "name"}:
        raise Unusable("This is a hashtag, not a media.")
    shown = ", ".join(sorted(str(name) for name in record)[:6]) or "none"
    raise Unusable(f"This is not a media (its fields: {shown}).")


def _is_own(data: list[Any], paging: Any) -> bool:
    """Whether a page lists our own media: by its edge, else by its fields."""
    if isinstance(paging, dict):
        for name in ("next", "previous"):
            edge = _edge(paging.get(name))
            if edge in _OWN_EDGES or edge in _OTHERS_EDGES:
                return edge in _OWN_EDGES
    return any(
        isinstance(item, dict)
        and (not item.keys().isdisjoint(_OWNER_FIELDS) or "/stories/" in str(item.get("permalink")))
        for item in data
    )


def _edge(address: Any) -> str:
    try:
        return urlsplit(address).path.rpartition("/")[2] if isinstance(address, str) else ""
    except ValueError:
        return ""


def _is_map_of_ids(document: dict[str, Any]) -> bool:
    """The answer to ``?ids=a,b``: each id with its object."""
    return bool(document) and all(
        isinstance(value, dict) and str(value.get("id")) == key for key, value in document.items()
    )


INSTAGRAM_GRAPH = Preset(
    name="instagram-graph",
    source="instagram",
    rows=False,
    help="Instagram Graph API responses: own media, stories, insights (performance_metrics, and "
    "published_posts with --adopt), hashtags and discovery (raw_videos).",
    reader=_read,
    options={"wanted": ("raw_videos", POLLS)},
)
