"""A release as Parquet files, which any program reads: a folder of ``schema/table.parquet``."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from common.errors import AceError, UsageError
from repositories import Warehouse

#: Rows that are held at a time, and that a row group has.
ROWS = 200_000
RELEASE = "release.json"


def export(
    warehouse: Warehouse,
    folder: Path,
    tables: Iterable[str] = (),
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, int]:
    """Write tables (all by default) and ``release.json``; returns their rows by name.

    The folder appears when everything is in it. Ids and documents are text, times UTC. Raises
    UsageError for a folder that holds something, AceError where it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something already.", "Name a new or an empty folder.")
    names = [warehouse.catalog.table(name).full_name for name in tables]
    beside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        beside.mkdir(parents=True)
        counts = {}
        for name in names or list(warehouse.catalog.tables):
            progress(name)
            counts[name] = _write(warehouse, name, beside)
        (beside / RELEASE).write_text(json.dumps(_about(warehouse, counts), indent=2) + "\n")
        if folder.exists():
            folder.rmdir()
        os.replace(beside, folder)
    except OSError as error:
        raise AceError(
            f"{folder} cannot be written: {error.strerror or error}.", "Choose another place."
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return counts


def _about(warehouse: Warehouse, counts: dict[str, int]) -> dict[str, Any]:
    release = warehouse.release
    return {
        "release": release.number,
        "as_of": release.as_of.isoformat() if release.as_of else None,
        "released_at": release.released_at.isoformat() if release.released_at else None,
        "simulated": warehouse.is_simulated,
        "rows": counts,
    }


def _write(warehouse: Warehouse, name: str, folder: Path) -> int:
    import polars as pl
    import pyarrow.parquet as pq

    schema, _, table = name.partition(".")
    (folder / schema).mkdir(exist_ok=True)
    writer = None
    rows = 0
    try:
        for frame in warehouse.rows(name).frames(ROWS):
            found = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                writer = pq.ParquetWriter(
                    folder / schema / f"{table}.parquet", found.schema, compression="zstd"
                )
            writer.write_table(found)
            rows += frame.height
    finally:
        if writer is not None:
            writer.close()
    return rows
