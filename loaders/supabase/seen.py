"""What was landed last for each key, so that a full read lands only what differs."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from loaders.landing import Landing, Rejected, record_hashes
from loaders.schema import SOURCE_KEY


class Seen:
    """The last landed version of every key as two 64-bit hashes (16 bytes a key).

    Two keys with the same hash (one chance in 10^13 per pair of a million) only make
    a row be landed once more. Rows without a key are compared as a whole.
    """

    def __init__(self, landing: Landing, source: str, resource: str) -> None:
        self._key = SOURCE_KEY[resource]
        self._resource = resource
        frames = [pl.DataFrame(schema={"key": pl.UInt64, "value": pl.UInt64})]
        order: dict[str, int] = {}
        for load in landing.loads(source, resource):
            order[load.load_id] = len(order)
        files = dict.fromkeys(load.file for load in landing.loads(source, resource))
        parts = [self._file(landing, source, file, order) for file in files]
        if parts:
            frames.append(
                pl.concat(parts)
                .sort("order", "_position")
                .unique("key", keep="last", maintain_order=True)
                .select("key", "value")
            )
        known = pl.concat(frames).sort("key")
        self._keys = known["key"].to_numpy()
        self._values = known["value"].to_numpy()
        self._rejected = {
            hashlib.md5(record.raw).digest() for record in landing.each_rejected(source, resource)
        }

    def _file(
        self, landing: Landing, source: str, file: str, order: dict[str, int]
    ) -> pl.DataFrame:
        name = f"{source}/{self._resource}/{file.rsplit('/', 1)[-1]}"
        columns = [self._key, "_record_hash", "_extra", "_load_id", "_position"]
        parts = []
        with landing.storage.reader(name) as parquet:
            for batch in parquet.iter_batches(columns=columns):
                frame = pl.DataFrame(batch)
                parts.append(
                    frame.select(
                        *_hashes(self._key),
                        pl.col("_load_id")
                        .replace_strict(order, return_dtype=pl.Int64)
                        .alias("order"),
                        "_position",
                    )
                )
        empty = {"key": pl.UInt64, "value": pl.UInt64, "order": pl.Int64, "_position": pl.Int64}
        return pl.concat([pl.DataFrame(schema=empty), *parts])

    def changed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows that differ from what was landed last for their key."""
        if frame.is_empty() or not len(self._keys):
            return frame
        hashes = record_hashes(self._resource, frame)
        now = frame.with_columns(hashes).select(*_hashes(self._key))
        keys, values = now["key"].to_numpy(), now["value"].to_numpy()
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        same = (self._keys[at] == keys) & (self._values[at] == values)
        return frame.filter(pl.Series(~same))

    def news(self, records: list[Rejected]) -> list[Rejected]:
        """The rejected records that are not waiting in landing already."""
        return [r for r in records if hashlib.md5(r.raw).digest() not in self._rejected]


def _hashes(key: str) -> tuple[Any, ...]:
    # The record's hash covers its own columns; what went to _extra counts as well.
    value = (pl.col("_record_hash") + pl.col("_extra").fill_null("")).hash()
    identity = pl.when(pl.col(key).is_null()).then(value).otherwise(pl.col(key).hash())
    return identity.alias("key"), value.alias("value")
