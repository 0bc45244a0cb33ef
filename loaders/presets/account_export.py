"""What the CSV exports of one's own account have in common: a row for each post.

A row becomes a poll (``performance_metrics``: its counts, as known when the file was
written) and the post itself (``published_posts``: caption and time of publication). Which
of the two is wanted stands in the options that ``loaders.files.plan`` hands over.

Columns go by their English names, without regard to case and blanks; what no column takes
stays in the extra.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from loaders.presets.base import (
    POLLS,
    POSTS,
    Fields,
    PresetRecord,
    Unusable,
    attempt,
    landed,
    polled,
)
from loaders.presets.told import Reader

COUNTS = ("views", "likes", "comments", "shares")
#: What ``loaders.files.plan`` tells: what to land, where it lies, and how to read times.
OPTIONS: dict[str, Any] = {
    "wanted": (POLLS, POSTS),
    "path": "",
    "known_at": None,
    "time_zone": UTC,
    "time_format": None,
}

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_CLOCK = r"(?:,?\s+(?:at\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap]\.?m\.?)?)?"
#: October 30; Oct 14, 2024; Oct 14, 2024, 7:05 PM.
_MONTH_DAY = re.compile(rf"([a-z]{{3,9}})\.?\s+(\d{{1,2}})(?:,?\s+(\d{{4}}))?{_CLOCK}\Z", re.I)
#: 14 Oct 2024.
_DAY_MONTH = re.compile(rf"(\d{{1,2}})\.?\s+([a-z]{{3,9}})\.?(?:,?\s+(\d{{4}}))?{_CLOCK}\Z", re.I)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}.*)?\Z", re.DOTALL)
#: A day without a year is one of these last years, or no day at all.
_YEARS_BACK = 8


@dataclass(frozen=True)
class Export:
    """One platform's export.

    ``columns`` is what a column means (``post``, the counts, ``caption``,
    ``published_at``) to the names it goes by, normalised as by :func:`plain`; of several in
    a file the first counts. ``post`` reads the id out of its cell and raises Unusable.
    """

    platform: str
    columns: Mapping[str, tuple[str, ...]]
    post: Callable[[Any], str]
    #: Reads a post's time where the platform has a way of its own; None for others.
    moment: Callable[[str], str | None] = lambda text: None
    #: Raises Unusable for a row that is no post.
    insist: Callable[[Mapping[str, Any]], None] = lambda row: None
    #: Columns of ``schema.TOLD`` and rates: how each is read, and the names it goes by.
    told: Mapping[str, tuple[Reader, tuple[str, ...]]] = field(default_factory=dict)
    #: Further columns of a poll, out of the row's cells.
    measured: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda row: {}

    def names(self, meaning: str, present: Iterable[str]) -> str | None:
        """The name under which a column is there, as it is written; None when it is not."""
        return next(_written(self.columns[meaning], present), None)

    def has(self, meaning: str, present: Iterable[str]) -> bool:
        return self.names(meaning, present) is not None

    def read(self, row: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
        """The reader of a :class:`Preset`: the poll, then the post, as far as wanted."""
        wanted = options["wanted"]
        if POLLS in wanted:
            yield replace(attempt(self._poll, row), meant=POLLS)
        if POSTS in wanted:
            yield replace(attempt(self._post, row, options), meant=POSTS)

    def _poll(self, row: dict[str, Any]) -> PresetRecord:
        fields, post = self._begun(row)
        counts = {name: self._take(fields, name) for name in COUNTS}
        told = {column: _told(fields, *how) for column, how in self.told.items()}
        counts |= self.measured(_cells(row))
        return polled(row, fields, self.platform, post, counts, told)

    def _post(self, row: dict[str, Any], options: Mapping[str, Any]) -> PresetRecord:
        fields, post = self._begun(row)
        for name in COUNTS:
            self._take(fields, name)
        for how in self.told.values():
            _told(fields, *how)
        values = {
            "platform": self.platform,
            "external_post_id": post,
            "caption": self._take(fields, "caption"),
            # As written it stays in the extra: it may say less than a time does.
            "published_at": self.published_at(fields.rest(), options),
        }
        return landed(POSTS, row, fields, values)

    def _begun(self, row: dict[str, Any]) -> tuple[Fields, str]:
        if None in row:
            raise Unusable("The row has more fields than the header.")
        self.insist(_cells(row))
        fields = Fields({name: cell for name, cell in row.items() if not _is_blank(cell)})
        return fields, self.post(self._take(fields, "post"))

    def _take(self, fields: Fields, meaning: str) -> Any:
        name = self.names(meaning, fields.rest())
        return None if name is None else fields.take(name)

    def published_at(self, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """When a row's post was published, for typing; raises Unusable."""
        name = self.names("published_at", row)
        value = row[name] if name is not None else None
        if not isinstance(value, str) or options.get("time_format"):
            return value
        text = " ".join(value.split())
        own = self.moment(text)
        return own if own is not None else _moment(text, options)


def plain(name: str) -> str:
    """A column's name without regard to case, blanks and a byte order mark."""
    return " ".join(name.replace("\ufeff", "").casefold().split())


def _written(names: Iterable[str], present: Iterable[str]) -> Iterator[str]:
    """Those of the plain ``names`` that are there, in their order and as they are written."""
    written = {plain(name): name for name in present if isinstance(name, str)}
    return (written[name] for name in names if name in written)


def _told(fields: Fields, read: Reader, names: tuple[str, ...]) -> Any:
    """The first value that is understood, taken out of the row; None when there is none."""
    for name in _written(names, fields.rest()):
        value = read(fields.get(name))
        if value is not None:
            fields.drop(name)
            return value
    return None


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _cells(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The row's cells by plain names."""
    return {plain(name): cell for name, cell in row.items() if isinstance(name, str)}


def _moment(text: str, options: Mapping[str, Any]) -> str:
    """A time in ISO 8601, without a zone where the text has none. A day alone is its
    beginning; one without a year is the last such day before the file was written.
    """
    if _ISO.match(text) or not any(character.isdigit() for character in text):
        # Words for "unknown", too: typing knows them.
        return text
    if found := _MONTH_DAY.match(text):
        month, day, year, *clock = found.groups()
    elif found := _DAY_MONTH.match(text):
        day, month, year, *clock = found.groups()
    else:
        raise Unusable(
            f"The time {text[:60]!r} can be read in more than one way, or not at all: "
            "say how it is written with --time-format."
        )
    number, known_at = _month(month, text), options.get("known_at")
    if year is not None:
        found_day = _day(int(year), number, int(day), text)
    elif known_at is not None:
        zone = options.get("time_zone") or UTC
        found_day = _last(number, int(day), known_at.astimezone(zone), text)
    else:
        raise Unusable(f"The time {text[:60]!r} has no year: leave --backfill out.")
    return f"{found_day.isoformat()}T{_clock(*clock, text=text)}"


def _month(name: str, text: str) -> int:
    for number, month in enumerate(_MONTHS, start=1):
        if month.startswith(name.lower()) or (name.lower() == "sept" and number == 9):
            return number
    raise Unusable(
        f"The time {text[:60]!r} names no month in English: say how it is written with "
        "--time-format, or export it in English."
    )


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Unusable(f"The time {text[:60]!r} is no day of a year.") from None


def _last(month: int, day: int, before: datetime, text: str) -> date:
    for year in range(before.year, before.year - _YEARS_BACK - 1, -1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found <= before.date():
            return found
    raise Unusable(f"The time {text[:60]!r} is no day of a year.")


def _clock(
    hour: str | None, minute: str | None, second: str | None, half: str | None, *, text: str
) -> str:
    if hour is None:
        return "00:00:00"
    number = int(hour)
    if half is not None:
        if not 1 <= number <= 12:
            raise Unusable(f"The time {text[:60]!r} is no time of a day.")
        number = number % 12 + (12 if half[0] in "pP" else 0)
    return f"{number:02}:{minute}:{second or '00'}"
