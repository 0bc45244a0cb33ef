"""``--increments``: counts that are growth per row, added up to the totals that polls are.

The growth of a post is known by time: what was landed before and what a file has are put
together, the file's word for a time replacing an earlier one, and added up in order of
time. So the totals do not depend on how the days were cut into files or in which order
these came, and a day that two files have counts once. Where a file changes or precedes days
that were landed before, those are landed once more with their new totals.

A mean of a day says nothing of the days before: it becomes the mean of all of them, each
weighing as much as it was of. How many were reached in all no sum of days tells.

The growth as given stays in ``_extra``, under ``_increments``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, tzinfo
from typing import Any

import orjson
import polars as pl

from common.errors import AceError
from loaders.jsontext import canonical_json
from loaders.landing import Landing, Rejected
from loaders.landing.rows import landed_rows
from loaders.records import rejected_row
from loaders.schema import RESOURCES, polars_schema, spellings
from loaders.staged import platform, trimmed

TABLE = "performance_metrics"
#: What is growth.
COUNTS = (
    "views", "likes", "comments", "shares", "watch_time_ms", "impressions", "saves",
    "followers_gained",
)  # fmt: skip
#: Means, and of how many each is one.
MEANS = {
    "average_watch_seconds": "views",
    "completion_rate": "views",
    "three_second_rate": "views",
    "click_through_rate": "impressions",
}
#: Distinct people, who may come again the next day.
DISTINCT = ("reach",)
MEASURES = (*COUNTS, *MEANS, *DISTINCT)
#: Where the growth as given is kept.
KEPT = "_increments"
#: Rows held at once, since a file need not be in order of time.
MOST_ROWS = 2_000_000
#: Just above what the models take for a count: a sum beyond it is held back, not wrapped.
_TOO_MANY = 10**16 + 1

_POST = "_post"
_TIME_OF_POST = [_POST, "collected_at"]
_COLUMNS = [column.name for column in RESOURCES[TABLE]]
_CARRIED = [*_COLUMNS, "_extracted_at", "_extra", "_position"]


class Increments:
    """Takes the rows of one file, then gives them back with totals."""

    def __init__(self, landing: Landing, source: str, zone: tzinfo) -> None:
        self._landing = landing
        self._source = source
        self._zone = str(zone)
        self._frames: list[pl.DataFrame] = []
        self._rows = 0
        self._posts = 0
        self._again = 0
        self._unknown = 0
        self._negative = 0
        self._by_day = False
        self._goes_on = False
        self._first = ""

    def take(self, frame: pl.DataFrame) -> None:
        """Typed rows with their ``_position``, in any order. AceError for too many."""
        self._rows += frame.height
        if self._rows > MOST_ROWS:
            raise AceError(
                f"More than {MOST_ROWS:,} rows of growth cannot be added up at once.",
                "Split the file by post.",
            )
        kinds = polars_schema(TABLE)
        missing = [pl.lit(None, kinds[n]).alias(n) for n in _CARRIED if n not in frame.columns]
        self._frames.append(frame.with_columns(missing).select(_CARRIED))

    def settle(self, end: int) -> tuple[pl.DataFrame, list[Rejected]]:
        """The rows with totals instead of growth, and those that cannot be added up; ``end``
        is the first position that no record of the file has.

        Raises AceError when what was landed before cannot be read.
        """
        if not self._rows:
            return pl.DataFrame(), []
        rows, self._frames, self._rows = pl.concat(self._frames), [], 0
        given = _of_posts(rows).with_columns(growth=pl.struct(MEASURES))
        rejected = []
        for condition, reason, field in _PROBLEMS:
            bad = given.filter(condition).select(_CARRIED)
            rejected += [rejected_row(row, reason, field) for row in bad.iter_rows(named=True)]
            given = given.filter(~condition)
        given = given.with_columns(given_at="collected_at")
        return self._with_totals(self._at_end_of_day(given), end), rejected

    def sentences(self) -> Iterator[str]:
        """What was done, as sentences."""
        if not self._posts:
            return
        posts = "1 post" if self._posts == 1 else f"{self._posts:,} posts"
        day = ", a day's at its end" if self._by_day else ""
        to = " and to what had landed before" if self._goes_on else ""
        yield f"The growth of {posts} was added up from {self._first} on{day}{to}."
        if not self._goes_on:
            yield "Totals begin at 0 there: what a post had gained before is not in them."
        if self._again:
            rows = "row" if self._again == 1 else "rows"
            yield f"{self._again:,} {rows} landed before follow with their new totals."
        if self._unknown:
            yield (
                f"{self._unknown:,} totals are unknown, as growth up to their time is; write 0 "
                "where there was none."
            )
        if self._negative:
            values = "value is" if self._negative == 1 else "values are"
            yield f"{self._negative:,} {values} negative, so that totals fall there."

    def _at_end_of_day(self, given: pl.DataFrame) -> pl.DataFrame:
        """The growth of a day is complete when it ends: rows that all say midnight are days."""
        local = pl.col("collected_at").dt.convert_time_zone(self._zone)
        midnight = (local.dt.time() == time()) & (local.dt.year() < 9999)
        self._by_day = bool(given.select(midnight.all()).item())
        if not self._by_day:
            return given
        ends = local.dt.offset_by("1d").dt.convert_time_zone("UTC")
        return given.with_columns(ends.alias("collected_at"))

    def _with_totals(self, given: pl.DataFrame, end: int) -> pl.DataFrame:
        """The rows, and behind them those landed before whose totals are others now."""
        known = self._landed(given).join(given, on=_TIME_OF_POST, how="anti")
        self._goes_on = not known.is_empty()
        growth = [frame.select(*_TIME_OF_POST, "growth") for frame in (given, known)]
        times = pl.concat(growth).unique(_TIME_OF_POST).sort(_TIME_OF_POST).unnest("growth")
        totals = times.with_columns(
            *(_total(name, times.schema[name]) for name in COUNTS),
            *(_mean(name, of).alias(name) for name, of in MEANS.items()),
            *(pl.lit(None, times.schema[name]).alias(name) for name in DISTINCT),
        )
        rows = given.drop(MEASURES).join(
            totals, on=_TIME_OF_POST, how="left", maintain_order="left"
        )
        self._count(given, rows)
        extras = map(_with_growth, rows["_extra"], rows["growth"], rows["given_at"])
        rows = rows.with_columns(pl.Series("_extra", list(extras), dtype=pl.String))
        return pl.concat([rows.select(_CARRIED), self._follow(known, totals, end)])

    def _follow(self, known: pl.DataFrame, totals: pl.DataFrame, end: int) -> pl.DataFrame:
        """Rows landed before with new totals, placed behind those of the file."""
        both = known.join(totals, on=_TIME_OF_POST, suffix="_now", maintain_order="left")
        other = pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_now")) for n in MEASURES)
        changed = both.filter(other)
        self._again = changed.height
        places = pl.int_range(pl.len(), dtype=pl.Int64) + end
        known_at = pl.lit(None, polars_schema(TABLE)["_extracted_at"])
        return changed.with_columns(
            *(pl.col(f"{name}_now").alias(name) for name in MEASURES),
            places.alias("_position"),
            known_at.alias("_extracted_at"),
        ).select(_CARRIED)

    def _landed(self, given: pl.DataFrame) -> pl.DataFrame:
        """The newest growth landed before of the same posts, by post and time."""
        rows = landed_rows(self._landing, self._source, TABLE, [*_COLUMNS, "_extra"])
        rows = rows.filter(pl.col("_extra").str.contains(f'"{KEPT}"', literal=True))
        rows = _of_posts(rows).join(given, on=_POST, how="semi")
        rows = rows.sort("_extracted_at", "_load_id", "_position")
        rows = rows.unique(_TIME_OF_POST, keep="last", maintain_order=True)
        growth = [orjson.loads(text)[KEPT] for text in rows["_extra"]]
        kinds = {name: polars_schema(TABLE)[name] for name in MEASURES}
        kept = pl.DataFrame([[one.get(n) for n in MEASURES] for one in growth], kinds, orient="row")
        return rows.with_columns(kept.to_struct("growth"))

    def _count(self, given: pl.DataFrame, rows: pl.DataFrame) -> None:
        self._posts = given[_POST].n_unique()
        first = given["given_at"].dt.convert_time_zone(self._zone).min()
        self._first = f"{first:%Y-%m-%d}" if isinstance(first, datetime) else ""
        for name in COUNTS:
            if given[name].null_count() < given.height:
                self._unknown += rows[name].null_count()
            if name != "followers_gained":  # won less lost
                self._negative += int((given[name] < 0).sum())


def _of_posts(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with one spelling of their counts, and the post that each is of."""
    counts = [(name, spellings(TABLE, name)) for name in MEASURES]
    merged = [pl.coalesce(names).alias(name) for name, names in counts]
    emptied = [pl.lit(None, pl.Int64).alias(n) for name, names in counts for n in names[1:]]
    external = trimmed(pl.col("external_post_id"))
    named = pl.when((platform() != "") & (external != "")).then(platform() + "/" + external)
    return rows.with_columns(*merged, pl.coalesce("post_id", named).alias(_POST)).with_columns(
        emptied
    )


def _total(name: str, kind: pl.DataType) -> pl.Expr:
    """Sum of a post's growth up to each time; unknown once part of it is."""
    growth, known = pl.col(name).fill_null(0), pl.col(name).is_null().cum_sum().over(_POST) == 0
    if kind.is_integer():
        total = growth.cast(pl.Int128).cum_sum().over(_POST).clip(-_TOO_MANY, _TOO_MANY)
    else:
        total = growth.cum_sum().over(_POST)
    return pl.when(known).then(total.cast(kind)).alias(name)


def _mean(name: str, of: str) -> pl.Expr:
    """Mean of a post's means up to each time; unknown once one that counts is, or of how many."""
    weight, value = pl.col(of), pl.col(name)
    is_open = weight.is_null() | (value.is_null() & (weight != 0))
    whole = weight.fill_null(0).cast(pl.Float64).cum_sum().over(_POST)
    added = (value * weight).fill_null(0).cum_sum().over(_POST)
    return pl.when(is_open.cum_sum().over(_POST) == 0, whole > 0).then(added / whole)


def _with_growth(extra: str | None, growth: dict[str, Any], at: datetime) -> str:
    kept = {name: value for name, value in growth.items() if value is not None}
    whole = {**(orjson.loads(extra) if extra else {}), KEPT: {**kept, "collected_at": at}}
    return canonical_json(orjson.loads(orjson.dumps(whole)))[0]


#: Rows that cannot be added up: condition, reason, column.
_PROBLEMS = (
    (
        pl.col(_POST).is_null(),
        "neither post_id nor platform and external_post_id say whose growth this is",
        "external_post_id",
    ),
    (
        pl.col("collected_at").is_null(),
        "collected_at is missing: growth is added up in order of time",
        "collected_at",
    ),
    (
        (pl.col("growth").n_unique().over(_TIME_OF_POST) > 1).any().over(_POST),
        "the post has rows of one time that differ: add the parts up or remove one, so that "
        "each time has one row",
        "collected_at",
    ),
)
