"""TikTok Research API: pages of ``/v2/research/video/query/``, or bare videos.

Ids are numbers beyond 2^53 (and may be beyond 2^64), so the JSON must have been
parsed with exact integers. The response does not say when counts were observed.
"""

from __future__ import annotations

import re
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
    landed,
    refused,
)

_OTHER_LISTS = (
    "comments",
    "user_followers",
    "user_following",
    "user_liked_videos",
    "user_pinned_videos",
    "reposted_videos",
    "playlists",
)
#: What the API calls the fields a query may ask for: a bare record must have one
#: besides its id, or it is of another layout that happens to have a `video_id`.
_FIELDS = frozenset(
    {
        "video_description",
        "create_time",
        "region_code",
        "share_count",
        "view_count",
        "like_count",
        "comment_count",
        "music_id",
        "hashtag_names",
        "hashtag_info_list",
        "username",
        "effect_ids",
        "playlist_id",
        "voice_to_text",
        "is_stem_verified",
        "favorites_count",
        "video_duration",
        "video_mention_list",
        "video_label",
        "video_tag",
        "sticker_info_list",
        "effect_info_list",
    }
)
_ID = re.compile(r"[0-9]{1,20}")


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    if "data" not in document:
        yield attempt(_bare, document)
        return
    data = document["data"]
    other = next((name for name in _OTHER_LISTS if isinstance(data, dict) and name in data), None)
    if other and "videos" not in data:
        members = data[other] if isinstance(data[other], list) else [data[other]]
        for member in members:
            yield refused(member, f"This is one of a list of {other}, not a video of a query.")
        return
    yield from each_of(document, _video, "data", "videos")


def _bare(record: dict[str, Any]) -> PresetRecord:
    """A video outside of a response: any file may hold one, so it has to look like one."""
    if _FIELDS.isdisjoint(record):
        raise Unusable(
            "This has none of the fields of a Research API video (view_count, username, ...): "
            "load it with --table raw_videos and --map."
        )
    return _video(record)


def _video(record: dict[str, Any]) -> PresetRecord:
    if "text" in record and ("parent_comment_id" in record or "video_id" in record):
        raise Unusable("This is a comment, not a video.")
    fields = Fields(record)
    # The documentation's example spells the id `video_id`; real responses, `id`.
    external_id = identifier(fields.take("id", "video_id"), "id", numeric=True)
    if not _ID.fullmatch(external_id):
        raise Unusable(f"The id {external_id[:40]!r} is not a TikTok video's, which has digits.")
    return landed(
        "raw_videos",
        record,
        fields,
        {
            "external_id": external_id,
            "platform": "tiktok",
            "caption": fields.take("video_description"),
            "hashtags": fields.take("hashtag_names"),
            "author": fields.take("username"),
            "view_count": fields.take("view_count"),
            "like_count": fields.take("like_count"),
            "share_count": fields.take("share_count"),
            "comment_count": fields.take("comment_count"),
        },
    )


TIKTOK_RESEARCH = Preset(
    name="tiktok-research",
    source="tiktok_research",
    rows=False,
    help="TikTok Research API video queries (raw_videos).",
    reader=_read,
)
