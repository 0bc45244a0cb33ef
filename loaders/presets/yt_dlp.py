"""yt-dlp: an info.json, the lines of ``-j``, the playlists of ``-J``.

One preset for every site yt-dlp knows; the platform is its extractor. Caption
and author are what the platform's own API would give, so that sources agree:
the title on YouTube, the description elsewhere (yt-dlp cuts TikTok titles at 72
characters and makes Instagram's up); the channel on YouTube and Instagram, the
uploader elsewhere. ``repost_count`` is TikTok's share count. ``epoch``, the time
of extraction, is ``collected_at``; entries of a playlist inherit it.

Not kept, because large or full of addresses that expire: see ``_DROPPED``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    refused,
)

_DROPPED = (
    "formats",
    "requested_formats",
    "requested_downloads",
    "requested_subtitles",
    "subtitles",
    "automatic_captions",
    "thumbnails",
    "http_headers",
    "cookies",
    "fragments",
    "comments",
    "url",
    "manifest_url",
    "_format_sort_fields",
)
_PLATFORMS = {"twitter": "x", "tiktokvm": "tiktok", "vm.tiktok": "tiktok"}
_CAPTION = {"youtube": ("title", "fulltitle"), "instagram": ("description",)}
_AUTHOR = {
    "youtube": ("channel", "uploader"),
    "tiktok": ("uploader",),
    "instagram": ("channel",),
}


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    # A channel is a playlist of playlists: walked with a list, not by recursion,
    # so that no nesting is too deep.
    todo: list[tuple[Any, dict[str, Any]]] = [(document, {})]
    while todo:
        record, playlist = todo.pop()
        if record is None:
            yield refused(None, "The playlist's entry is null: yt-dlp could not extract it.")
        elif _is_playlist(record):
            entries = record.get("entries")
            if not isinstance(entries, list):
                yield refused(record, f"The playlist's entries are {describe(entries)}, no list.")
                continue
            context = {
                name: record[name] if record.get(name) is not None else playlist.get(name)
                for name in ("epoch", "extractor", "extractor_key")
            }
            todo.extend((entry, context) for entry in reversed(entries))
        else:
            yield attempt(_video, record, playlist)


def _is_playlist(record: Any) -> bool:
    return isinstance(record, dict) and (
        "entries" in record or record.get("_type") in ("playlist", "multi_video")
    )


def _video(record: dict[str, Any], playlist: dict[str, Any]) -> PresetRecord:
    fields = Fields(record)
    fields.drop(*_DROPPED)
    platform = _platform(record, playlist)
    external_id = identifier(fields.take("id"), "id", numeric=platform == "tiktok")
    epoch = fields.take("epoch")
    return landed(
        "raw_videos",
        record,
        fields,
        {
            "external_id": external_id,
            "platform": platform,
            "caption": fields.take(*_CAPTION.get(platform, ("description", "title"))),
            "hashtags": fields.take("tags") or None,
            "author": fields.take(*_AUTHOR.get(platform, ("uploader", "channel"))),
            "view_count": fields.take("view_count"),
            "like_count": fields.take("like_count"),
            "share_count": fields.take("repost_count"),
            "comment_count": fields.take("comment_count"),
            "collected_at": epoch if epoch is not None else playlist.get("epoch"),
        },
    )


def _platform(record: dict[str, Any], playlist: dict[str, Any]) -> str:
    """``youtube:tab`` -> youtube; a flat entry names only the extractor to come."""
    for holder in (record, playlist):
        for name in ("extractor", "extractor_key", "ie_key"):
            value = holder.get(name)
            if isinstance(value, str) and value.strip():
                site = value.strip().lower()
                site = _PLATFORMS.get(site, site.split(":")[0])
                return _PLATFORMS.get(site, site)
    raise Unusable("The record has no extractor, so nothing says which platform it is from.")


YT_DLP = Preset(
    name="yt-dlp",
    source="yt_dlp",
    rows=False,
    help="yt-dlp info.json files, -j lines and -J playlists (raw_videos).",
    reader=_read,
)
