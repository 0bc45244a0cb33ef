"""YouTube Studio: the table of videos of advanced mode (``Table data.csv``), one row a video.

Each row is a poll of a video of one's own channel, known when the file was written, and the
post. The counts are those of the period that was chosen in Studio, which the file does not
state: only of "Lifetime" are they the counts so far. Studio gives the day of publication
alone, which is read as its beginning (UTC, or ``--time-zone``). Hours of watch time become
``watch_time_ms``. The row of totals is refused, and so are the other two files of the same
export: ``Chart data.csv`` has each day's growth, ``Totals.csv`` no videos.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from loaders.presets.account_export import COUNTS, OPTIONS, POLLS, POSTS, Export, plain
from loaders.presets.base import Preset, Unusable, identifier

_ID = re.compile(r"[A-Za-z0-9_-]{11}\Z")
_HOURS = re.compile(r"\d+(\.\d+)?\Z", re.ASCII)
_WATCHED = "watch time (hours)"
_MS_PER_HOUR = 3_600_000


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
    reader=_EXPORT.read,
    options=OPTIONS,
    misfit=_misfit,
    remarks={
        POLLS: "These are the counts of the period that was chosen in YouTube Studio: right only "
        "if that was Lifetime.",
        POSTS: "YouTube Studio gives the day of publication alone: its beginning was taken.",
    },
)
