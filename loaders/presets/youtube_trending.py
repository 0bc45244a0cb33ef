"""Kaggle's YouTube trending data sets: one CSV row per video and day.

Three layouts: ``date`` as DD.MM without a year (autumn 2017), ``trending_date``
as YY.DD.MM (2017 to 2018) and as an ISO time (2020 on). The trending day is
when the counts were observed: it becomes ``collected_at``, at midnight UTC.

The year of DD.MM is the option ``year``. Left alone, the data set decides: it
starts on 13 September 2017, so an earlier day of the year is one of 2018.

Zeros: where comments or ratings are switched off the files say 0. That is null
here when the row's own flag says so. The 2017 layout has no flags; there 18
times as many videos have 0 comments as have 1, at a median of 54,000 views, so
a 0 (for likes: with 0 dislikes) is unknown and null, and stays in the extra.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from loaders.presets.base import (
    Fields,
    Preset,
    PresetRecord,
    Unusable,
    attempt,
    identifier,
    landed,
)

_DAY_MONTH = re.compile(r"^(\d{1,2})\.(\d{1,2})$")
_YEAR_DAY_MONTH = re.compile(r"^(\d{2})\.(\d{2})\.(\d{2})$")
_FIRST_DAY = (9, 13)
_FIRST_YEAR = 2017


def _read(row: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    yield attempt(_video, row, options.get("year"))


def _video(row: dict[str, Any], year: Any) -> PresetRecord:
    if None in row:
        raise Unusable("The row has more fields than the header.")
    fields = Fields({name: cell for name, cell in row.items() if cell is not None and cell != ""})
    external_id = identifier(fields.take("video_id"), "video_id")
    collected_at = _trending_day(fields.take("trending_date", "date"), year)
    no_dislikes = fields.get("dislikes") == "0"
    return landed(
        "raw_videos",
        row,
        fields,
        {
            "external_id": external_id,
            "platform": "youtube",
            "caption": fields.take("title"),
            "hashtags": _tags(fields.take("tags")),
            "author": fields.take("channelTitle", "channel_title"),
            "view_count": fields.take("view_count", "views"),
            "like_count": _count(fields, ("likes",), "ratings_disabled", unflagged=no_dislikes),
            "comment_count": _count(
                fields, ("comment_count", "comment_total"), "comments_disabled", unflagged=True
            ),
            "collected_at": collected_at,
        },
    )


def _count(fields: Fields, names: tuple[str, ...], flag: str, *, unflagged: bool) -> Any:
    """A count, or None where its 0 only means that the feature was switched off."""
    name = next((name for name in names if fields.get(name) is not None), names[0])
    off = fields.get(flag)
    if fields.get(name) == "0":
        if off is None and unflagged:
            return None
        if str(off).strip().lower() in {"true", "1"}:
            fields.drop(name)
            return None
    return fields.take(name)


def _tags(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "[none]":
        return None
    tags = (tag.strip().strip('"').strip() for tag in value.split("|"))
    return [tag for tag in tags if tag] or None


def _trending_day(value: Any, year: Any) -> str:
    if not isinstance(value, str):
        raise Unusable("The row has neither a trending_date nor a date.")
    text = value.strip()
    if match := _DAY_MONTH.match(text):
        day, month = int(match[1]), int(match[2])
        if year is None:
            year = _FIRST_YEAR + ((month, day) < _FIRST_DAY)
        return _midnight(int(year), month, day, text)
    if match := _YEAR_DAY_MONTH.match(text):
        return _midnight(2000 + int(match[1]), int(match[3]), int(match[2]), text)
    return text


def _midnight(year: int, month: int, day: int, text: str) -> str:
    try:
        return f"{date(year, month, day).isoformat()}T00:00:00Z"
    except ValueError:
        raise Unusable(f"The trending date {text!r} is not a day of {year}.") from None


YOUTUBE_TRENDING = Preset(
    name="youtube-trending",
    source="youtube_trending",
    rows=True,
    help="Kaggle YouTube trending CSV files, 2017 and 2020 layouts (raw_videos).",
    reader=_read,
    options={"year": None},
)
