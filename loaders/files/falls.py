"""Polls whose counts fall again and again are growth per day, most likely, not totals."""

from __future__ import annotations

import polars as pl

from loaders.schema import spellings

TABLE = "performance_metrics"
#: Rows looked at: as many as tell.
_MOST_ROWS = 10_000
#: Totals fall now and then, when a platform takes views back; growth falls every other day.
_LEAST_STEPS, _LEAST_FALLS, _LEAST_SHARE = 3, 2, 0.2
_NAMES = ("post_id", "platform", "external_post_id", "collected_at")


class Falls:
    """Looks at the first rows of a file of polls."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._rows = 0

    def look(self, frame: pl.DataFrame) -> None:
        """Typed rows, as they are landed."""
        views = [n for n in spellings(TABLE, "views") if n in frame.columns]
        if self._rows >= _MOST_ROWS or not views or "collected_at" not in frame.columns:
            return
        rows = frame.head(_MOST_ROWS - self._rows)
        self._rows += rows.height
        self._frames.append(
            rows.select(
                pl.coalesce(views).alias("views"), *(n for n in _NAMES if n in frame.columns)
            )
        )

    def sentence(self) -> str | None:
        """What to say of them, if anything."""
        if not self._frames:
            return None
        rows = pl.concat(self._frames, how="diagonal").drop_nulls(["views", "collected_at"])
        post = [n for n in _NAMES[:3] if n in rows.columns]
        if not post:
            return None
        step = pl.col("views").diff().over(post)
        steps = rows.unique([*post, "collected_at"]).sort("collected_at").select(step).drop_nulls()
        falls = int((steps["views"] < 0).sum())
        if steps.height < _LEAST_STEPS or falls < max(_LEAST_FALLS, _LEAST_SHARE * steps.height):
            return None
        return (
            f"views fall in {falls:,} of {steps.height:,} steps from one time of a post to the "
            "next, as daily figures do and totals do not: if they are growth, take this load out "
            "and load the file with --increments, which adds them up."
        )
