"""Rows that have landed, read back: what a later load of the same source builds on."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pyarrow as pa

from common.errors import AceError
from loaders.landing.zone import Landing
from loaders.schema import polars_schema


def landed_rows(
    landing: Landing, source: str, resource: str, columns: Iterable[str]
) -> pl.DataFrame:
    """These columns of all rows a source has landed, with the time at which they were
    known, their load and position. AceError for a file that cannot be read.
    """
    wanted = [*columns, "_extracted_at", "_load_id", "_position"]
    kinds = polars_schema(resource)
    frames = [pl.DataFrame(schema={name: kinds[name] for name in wanted})]
    files = dict.fromkeys(load.file for load in landing.loads(source, resource))
    for file in files:
        name = f"{source}/{resource}/{file.rsplit('/', 1)[-1]}"
        try:
            with landing.storage.reader(name) as parquet:
                frames.append(pl.DataFrame(parquet.read(columns=wanted)))
        except (OSError, pa.ArrowException) as error:
            raise AceError(
                f"The landed file {file} cannot be read: {error}.",
                "'ace check' says more about it.",
            ) from None
    # Older files lack columns the project has gained since.
    return pl.concat(frames, how="diagonal")
