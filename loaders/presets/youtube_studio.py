"""YouTube Studio: the table of videos of advanced mode (``Table data.csv``), one row a video.

Each row is a poll of a video of one's own channel, known when the file was written, and the
post. The counts are those of the period that was chosen in Studio, which the file does not
state: only of "Lifetime" are they the counts so far. The folder that Studio packs the file
into is called after the period ("Content 2026-03-01_2026-03-29 My channel"); where it still is,
videos from before are refused. Studio gives the day of publication
alone, which is read as its beginning (UTC, or ``--time-zone``). Hours of watch time become
``watch_time_ms``; the average percentage viewed is no share of those who saw the end, and
stays in the extra. The row of totals is refused, and so are the other two files of the same
export: ``Chart data.csv`` has each day's growth, ``Totals.csv`` no videos.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from loaders.presets.account_export import COUNTS, OPTIONS, Export, plain
from loaders.presets.base import POLLS, POSTS, Preset, PresetRecord, Unusable, identifier, refused
from loaders.presets.told import as_it_is, seconds_of, share_of_percent

_ID = re.compile(r"[A-Za-z0-9_-]{11}\Z")
_HOURS = re.compile(r"\d+(\.\d+)?\Z", re.ASCII)
_WATCHED = "watch time (hours)"
_MS_PER_HOUR = 3_600_000
_PERIOD = re.compile(r"\b(\d{4}-\d{2}-\d{2})_\d{4}-\d{2}-\d{2}\b", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PARTIAL = (
    "The folder's name says that the counts are those of a period, and the video is from before "
    "or its day is not known: they are not its counts so far. Export it for Lifetime."
)


def _post(value: Any) -> str:
    text = identifier(value, "Content", platform="youtube")
    if text == "Total":
        raise Unusable("This is the table's row of totals, not a video.")
    if not _ID.match(text):
        raise Unusable(f"The id {text[:40]!r} is not a YouTube video's, which has 11 characters.")
    return text


def _measured(row: Mapping[str, Any]) -> dict[str, Any]:
    hours = row.get(_WATCHED)
    if not isinstance(hours, str) or not _HOURS.match(hours.strip()):
        return {}
    return {"watch_time_ms": float(Decimal(hours.strip()) * _MS_PER_HOUR)}


def _read(row: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    for record in _EXPORT.read(row, options):
        whole = record.resource != POLLS or _is_whole(row, options)
        yield record if whole else replace(refused(row, _PARTIAL), meant=POLLS)


def _is_whole(row: dict[str, Any], options: Mapping[str, Any]) -> bool:
    """Whether the counts began with the video, as far as the file's folder tells."""
    period = _PERIOD.search(Path(options.get("path") or "").parent.name)
    if period is None:
        return True
    try:
        published_at = _EXPORT.published_at(row, options)
    except Unusable:
        return False
    text = str(published_at or "").strip()
    return not _ISO_DAY.match(text) or text[:10] >= period[1]


_EXPORT = Export(
    platform="youtube",
    post=_post,
    columns={
        "post": ("content", "video", "video id"),
        "views": ("views",),
        "likes": ("likes",),
        "comments": ("comments added", "comments"),
        "shares": ("shares",),
        "caption": ("video title",),
        "published_at": ("video publish time",),
    },
    told={
        "average_watch_seconds": (seconds_of, ("average view duration",)),
        "click_through_rate": (share_of_percent, ("impressions click-through rate (%)",)),
        "impressions": (as_it_is, ("impressions",)),
        "reach": (as_it_is, ("unique viewers",)),
        # Won less lost.
        "followers_gained": (as_it_is, ("subscribers",)),
    },
    measured=_measured,
)


def _misfit(names: Collection[str]) -> str:
    by_day = "date" in map(plain, names)
    if by_day and _EXPORT.has("post", names):
        return (
            "has what each video gained on each day (Chart data), not its counts so far. Load "
            "'Table data.csv' of the same export, or this one with --table performance_metrics "
            "--increments --set platform=youtube --map external_post_id=Content "
            "--map collected_at=Date."
        )
    if by_day:
        return (
            "has the channel's totals by day and no videos (Totals). Load 'Table data.csv' of "
            "the same export."
        )
    if _EXPORT.has("post", names) and any(_EXPORT.has(count, names) for count in COUNTS):
        return ""
    return (
        "has not the columns of YouTube Studio's table of videos: Content, Video title, Video "
        "publish time, Views. Choose the tab Content in advanced mode, with Studio in English, "
        "and export it again."
    )


YOUTUBE_STUDIO = Preset(
    name="youtube-studio",
    source="files",
    lands=(POLLS, POSTS),
    rows=True,
    help="YouTube Studio's table of videos, Table data.csv (performance_metrics, and with "
    "--adopt published_posts).",
    reader=_read,
    options=OPTIONS,
    misfit=_misfit,
    remarks={
        POLLS: "These are the counts of the period that was chosen in YouTube Studio: right only "
        "if that was Lifetime.",
        POSTS: "YouTube Studio gives the day of publication alone: its beginning was taken.",
    },
)
