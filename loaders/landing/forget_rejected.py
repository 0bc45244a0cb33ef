"""Erase from records that could not be read: of those only the bytes say whom they are of."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import AceError
from loaders.landing.storage import discard
from loaders.landing.writer import REJECTED_SCHEMA
from loaders.landing.zone import Landing


def without_words(
    zone: Landing, name: str, word: re.Pattern[bytes], *, dry: bool
) -> tuple[int, list[int]]:
    """Write a file of rejected records again without those in which a word is found.

    Returns how many those are, and the places of the others. ``dry`` only looks. Raises AceError
    for a file that cannot be read.
    """
    kept: list[pa.Table] = []
    removed = 0
    try:
        with zone.storage.reader(name) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                good = [not word.search(raw or b"") for raw in _column(table, "raw")]
                removed += good.count(False)
                kept.append(table.filter(pa.array(good, pa.bool_())))
    except (OSError, pa.ArrowException, KeyError):
        raise damaged(zone, name) from None
    if not kept:
        return 0, []
    table = pa.concat_tables(kept).cast(REJECTED_SCHEMA)
    if removed and not dry:
        temporary = zone.storage.temporary(name)
        try:
            pq.write_table(table, temporary, compression="zstd")
            zone.storage.commit(temporary, name)
        except BaseException:
            discard(temporary)
            raise
    return removed, _column(table, "_position")


def damaged(zone: Landing, name: str) -> AceError:
    """That a file cannot be read, so that nothing is known of what it holds."""
    return AceError(
        f"The rows of {zone.storage.location(name)} cannot be read, so nobody can say whether it "
        "holds what is to be forgotten.",
        "Restore the file from a copy, or move it out of the landing zone and delete it.",
    )


def _column(table: pa.Table, name: str) -> list[Any]:
    found: list[Any] = table.column(name).to_pylist()
    return found
