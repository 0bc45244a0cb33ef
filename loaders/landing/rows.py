"""Rows that have landed, read back: what a later load of the same source builds on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl
import pyarrow as pa

from common.errors import AceError
from loaders.landing.zone import Landing
from loaders.schema import polars_schema

#: Rows that are held at a time.
_BATCH = 250_000


def landed_rows(
    landing: Landing, source: str, resource: str, columns: Iterable[str]
) -> pl.DataFrame:
    """These columns of all rows a source has landed, with the time at which they were
    known, their load and position. AceError for a file that cannot be read.
    """
    wanted = [*columns, "_extracted_at", "_load_id", "_position"]
    return pl.concat(landed_batches(landing, source, resource, wanted))


def landed_batches(
    landing: Landing, source: str, resource: str, columns: Iterable[str]
) -> Iterator[pl.DataFrame]:
    """The same in pieces that bound memory, an empty one first; ``columns`` may be those of
    bookkeeping. A column that an older file lacks is null. Raises as :func:`landed_rows`.
    """
    kinds = polars_schema(resource)
    empty = pl.DataFrame(schema={name: kinds[name] for name in columns})
    yield empty
    for file in dict.fromkeys(load.file for load in landing.loads(source, resource)):
        name = f"{source}/{resource}/{file.rsplit('/', 1)[-1]}"
        try:
            with landing.storage.reader(name) as parquet:
                there = [one for one in empty.columns if one in parquet.schema_arrow.names]
                for batch in parquet.iter_batches(_BATCH, columns=there):
                    frame = pl.DataFrame(pa.Table.from_batches([batch]))
                    yield pl.concat([empty, frame], how="diagonal")
        except (OSError, pa.ArrowException) as error:
            raise AceError(
                f"The landed file {file} cannot be read: {error}.",
                "'ace check' says more about it.",
            ) from None
