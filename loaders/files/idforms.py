"""Lines of totals among the videos of an export: their id is none of the platform's.

What an id of a platform looks like is known, and a file's other ids say whether it keeps
to that: where nearly all do, one that does not is refused; where they do not (ids that
somebody made up), nothing is.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from loaders.landing import Rejected
from loaders.records import rejected_row
from loaders.schema import spellings
from loaders.staged import BLANK
from loaders.values import shown

#: Forms of a platform's ids, as patterns of the whole id.
FORMS = {
    "tiktok": r"[0-9]{15,20}",
    "youtube": r"[A-Za-z0-9_-]{11}",
    "instagram": r"[0-9]{10,20}(?:_[0-9]+)?|[A-Za-z0-9_-]{9,13}|[A-Za-z0-9_-]{39}",
}
#: Digits of TikTok's ids since 2018.
_DIGITS_NOW = 19
#: Names of lines of totals that have the form of an id.
_TOTALS = [
    spelled
    for word in (
        "gesamtsumme",
        "insgesamt",
        "grandtotal",
        "grand_total",
        "grand-total",
        "totalsumme",
    )
    for spelled in (word, word.capitalize(), word.title(), word.upper())
]
TABLES = frozenset({"raw_videos", "published_posts", "performance_metrics"})
#: How many rows are looked at before any of them is judged.
LEARNT_ROWS = 1_000
#: What follows the id in the reason; such a record is not tried again.
REASON = "is no id like the others of the file; lines of totals are no records"

_ID, _PLATFORM = "_id", "_platform"


class IdForms:
    """Tells the rows of one load from lines that are none, wherever they stand."""

    def __init__(self, resource: str) -> None:
        self._names = spellings(resource, "external_id") if resource in TABLES else ()
        self._held: list[pl.DataFrame] = []
        self._rows = 0
        self._known: Counter[str] = Counter()
        self._odd: Counter[str] = Counter()

    def take(self, frame: pl.DataFrame) -> list[tuple[pl.DataFrame, list[Rejected]]]:
        """Typed rows that can be landed by now, each with those refused among them."""
        if not self._names:
            return [(frame, [])]
        self._held.append(frame)
        self._rows += frame.height
        return self.rest() if self._rows >= LEARNT_ROWS else []

    def rest(self) -> list[tuple[pl.DataFrame, list[Rejected]]]:
        """What is held, judged by what was seen."""
        frames, self._held = self._held, []
        odd = [self._marked(frame) for frame in frames]
        return [self._judged(*both) for both in zip(frames, odd, strict=True)]

    def _marked(self, frame: pl.DataFrame) -> pl.DataFrame | None:
        """Row, platform and id of those whose id is none of their platform's forms; None
        where there is none. Counts them, and the others.
        """
        names = [name for name in self._names if name in frame.columns]
        if not names or "platform" not in frame.columns:
            return None
        platforms = {
            given: name
            for given in frame["platform"].unique().to_list()
            if (name := (given or "").strip(BLANK).lower()) in FORMS
        }
        if list(platforms.values()) == ["tiktok"] and (count := _plain_numbers(frame, names)):
            self._known["tiktok"] += count
            return None
        found = []
        for given, name in platforms.items():
            ids = frame.select(
                pl.int_range(pl.len()).alias("row"), pl.coalesce(names).alias(_ID), "platform"
            ).filter((pl.col("platform") == given) & pl.col(_ID).str.contains(r"[^ \t\n\r]"))
            keeps = pl.col(_ID).str.contains(rf"^[ \t\n\r]*(?:{FORMS[name]})[ \t\n\r]*$")
            if name != "tiktok":
                keeps = keeps & ~pl.col(_ID).is_in(_TOTALS)
            odd = ids.filter(~keeps).with_columns(pl.lit(name).alias(_PLATFORM))
            self._known[name] += ids.height - odd.height
            self._odd[name] += odd.height
            found.append(odd)
        odd = pl.concat(found) if found else pl.DataFrame()
        return None if odd.is_empty() else odd.sort("row")

    def _judged(
        self, frame: pl.DataFrame, odd: pl.DataFrame | None
    ) -> tuple[pl.DataFrame, list[Rejected]]:
        if odd is None:
            return frame, []
        refused = [row for row in odd.iter_rows(named=True) if self._is_refused(row)]
        rejected = [
            rejected_row(
                frame.row(row["row"], named=True),
                f"{self._names[0]}: {shown(row[_ID])} {REASON}",
                self._names[0],
            )
            for row in refused
        ]
        is_refused = pl.int_range(pl.len()).is_in([row["row"] for row in refused])
        return frame.filter(~is_refused), rejected

    def _is_refused(self, row: dict[str, Any]) -> bool:
        known, odd = self._known[row[_PLATFORM]], self._odd[row[_PLATFORM]]
        if not any(character.isdigit() for character in row[_ID]):
            return known >= odd
        # One that could be an id of a kind we do not know needs more against it.
        return known >= 4 * odd or (odd == 1 and known >= 3)


def _plain_numbers(frame: pl.DataFrame, names: list[str]) -> int:
    """How many ids there are, when all rows have one and it is a number as long as TikTok's:
    told without a pattern, since most blocks of polls are so; else 0.
    """
    ids = frame.select(pl.coalesce(names)).to_series()
    if frame["platform"].n_unique() > 1 or ids.cast(pl.UInt64, strict=False).null_count():
        return 0
    sizes = ids.str.len_bytes()
    fits = sizes.min() == sizes.max() == _DIGITS_NOW
    return len(ids) if fits else 0
