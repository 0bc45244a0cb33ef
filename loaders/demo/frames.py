"""Small helpers to turn NumPy arrays into the columns of a simulated frame.

A simulated frame has columns of its resource, ``_extracted_at``, maybe ``_extra``, and
two that are never landed: ``_fate`` (the verdict the warehouse must reach once every
load is there) and ``_reason`` (why, where it is not plainly accepted).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from loaders.demo.keys import Ints
from loaders.schema import RESOURCES

TIME = pl.Datetime("us", "UTC")
ACCEPTED, DUPLICATE, SUPERSEDED, QUARANTINED = (
    "accepted",
    "duplicate",
    "superseded",
    "quarantined",
)


def times(values: Ints) -> pl.Series:
    """Microseconds since 1970 as timestamps."""
    return pl.Series(np.ascontiguousarray(values, dtype=np.int64)).cast(TIME)


def pick(words: Sequence[str | None], index: npt.NDArray[np.integer]) -> pl.Series:
    """The word at each number."""
    return pl.Series(list(words), dtype=pl.String).gather(pl.Series(index.astype(np.uint32)))


def json_object(rows: int, **fields: pl.Series) -> pl.Series:
    """Canonical JSON text of plain values: sorted keys, text columns quoted.

    Text must need no escaping (the simulator's words do not); a null becomes null.
    """
    parts: list[pl.Expr] = [pl.lit("{")]
    frame = pl.DataFrame({name: fields[name] for name in fields}, height=rows)
    for number, name in enumerate(sorted(fields)):
        column = pl.col(name)
        if frame.schema[name] == pl.String:
            column = pl.concat_str([pl.lit('"'), column, pl.lit('"')])
        parts += [
            pl.lit(f'{"," if number else ""}"{name}":'),
            column.cast(pl.String).fill_null("null"),
        ]
    return frame.select(pl.concat_str([*parts, pl.lit("}")]).alias("json"))["json"]


def simulated(
    extracted: Ints, fate: str = ACCEPTED, reason: str | None = None, **columns: pl.Series
) -> pl.DataFrame:
    """A simulated frame whose rows share one fate."""
    return pl.DataFrame({**columns, "_extracted_at": times(extracted)}).with_columns(
        pl.lit(fate).alias("_fate"), pl.lit(reason, dtype=pl.String).alias("_reason")
    )


def aligned(resource: str, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames of one resource under each other, absent columns null."""
    kinds = {column.name: column.polars for column in RESOURCES[resource]}
    kinds |= {"_extra": pl.String(), "_extracted_at": TIME}
    kinds |= {"_fate": pl.String(), "_reason": pl.String()}
    return pl.concat(
        [
            frame.select(
                (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
                for name, kind in kinds.items()
            )
            for frame in frames
        ]
    )
