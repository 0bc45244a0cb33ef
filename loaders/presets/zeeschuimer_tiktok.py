"""Zeeschuimer: TikTok posts as the browser extension collected them, a JSON object a line.

An item is an envelope (a running number, the page, when it was collected) around the
post as TikTok's own pages get it (``data``); 4CAT exports the post itself with the
envelope as ``__import_meta``. The time of collection is when the counts were seen and
known: ``collected_at``. Of an item that was met again and updated that is ``last_updated``.

Counts are those of ``statsV2``, which are exact, before ``stats``, which are rounded when
large. Hashtags are ``challenges`` and those of ``textExtra``. Advertisements are posts
(``isAd`` stays in the extra); live streams, comments and other platforms are refused. The
envelope stays in the extra as ``zeeschuimer``; addresses of the media, which expire, do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from loaders.presets.base import (
    Fields,
    Preset,
    PresetRecord,
    Unusable,
    attempt,
    describe,
    identifier,
    landed,
    names_in,
)

_ENVELOPE = "__import_meta"
_POST_FIELDS = ("desc", "createTime", "stats", "statsV2", "challenges", "video")
_COUNTS = {
    "view_count": "playCount",
    "like_count": "diggCount",
    "share_count": "shareCount",
    "comment_count": "commentCount",
}
#: Of a video: addresses that expire, and lists of them.
_KEPT_OF_VIDEO = ("id", "duration", "width", "height", "ratio", "format", "definition")


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    yield attempt(_post, document)


def _post(document: dict[str, Any]) -> PresetRecord:
    envelope, post = _opened(document)
    fields = Fields(post)
    fields.drop(_ENVELOPE)
    external_id = identifier(fields.take("id") or envelope.get("item_id"), "data.id", numeric=True)
    if not (external_id.isascii() and external_id.isdigit()):
        raise Unusable(f"The id {external_id[:40]!r} is not a TikTok post's, which has digits.")
    collected_at = envelope.get("last_updated") or envelope.get("timestamp_collected")
    author = post.get("author")
    if isinstance(video := fields.get("video"), dict):
        fields.put("video", {name: video[name] for name in _KEPT_OF_VIDEO if name in video})
    fields.put("zeeschuimer", envelope)
    record = landed(
        "raw_videos",
        document,
        fields,
        {
            "external_id": external_id,
            "platform": "tiktok",
            "caption": fields.take("desc"),
            "hashtags": _hashtags(post),
            "author": fields.take("author.uniqueId" if isinstance(author, dict) else "author"),
            **{column: _count(fields, name) for column, name in _COUNTS.items()},
            "collected_at": collected_at,
        },
    )
    return replace(record, extracted_at=collected_at)


def _opened(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The envelope and the post in it; Unusable for what is no post of TikTok."""
    meta = document.get(_ENVELOPE)
    if "data" in document:
        envelope = {name: value for name, value in document.items() if name != "data"}
        post = document["data"]
    else:
        envelope, post = meta if isinstance(meta, dict) else {}, document
    site = envelope.get("source_platform")
    if site is not None and "tiktok" not in str(site):
        raise Unusable(f"This was collected from {str(site)[:60]}, not from TikTok.")
    if not isinstance(post, dict):
        raise Unusable(f"The field data is {describe(post)}, not a post.")
    if any(str(name).lower().startswith("liveroom") for name in post):
        raise Unusable("This is a live stream, not a post.")
    if "cid" in post or ("text" in post and "desc" not in post):
        raise Unusable("This is a comment, not a post.")
    if not any(name in post for name in _POST_FIELDS):
        raise Unusable(
            f"This has none of the fields of a TikTok post ({', '.join(_POST_FIELDS[:4])}): "
            "export it from Zeeschuimer as NDJSON."
        )
    return envelope, post


def _count(fields: Fields, name: str) -> Any:
    """The exact count before the rounded one, which then stays in the extra."""
    exact = fields.take(f"statsV2.{name}")
    return exact if exact not in (None, "") else fields.take(f"stats.{name}")


def _hashtags(post: dict[str, Any]) -> list[Any] | None:
    """Names from both lists, each once; the lists, which say more, stay in the extra."""
    named: dict[str, Any] = {}
    for name, key in (("challenges", "title"), ("textExtra", "hashtagName")):
        value = post.get(name)
        for tag in (names_in(value, key) if isinstance(value, list) else None) or ():
            named.setdefault(str(tag).lower(), tag)
    return list(named.values()) or None


ZEESCHUIMER_TIKTOK = Preset(
    name="zeeschuimer-tiktok",
    source="files",
    lands=("raw_videos",),
    rows=False,
    help="TikTok posts collected by the Zeeschuimer browser extension, NDJSON (raw_videos).",
    reader=_read,
)
