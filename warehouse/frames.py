"""Frames into files: whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from common.errors import UsageError

FORMATS = (".parquet", ".csv", ".ndjson")


def check_format(path: Path) -> None:
    """UsageError where the name does not say how to write it."""
    if path.suffix not in FORMATS:
        raise UsageError(
            f"{path} has no ending that says how to write it.",
            f"Let it end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.",
        )


def write_frame(path: Path, frame: pl.DataFrame, metadata: Mapping[str, str]) -> None:
    """Write ``frame`` by the ending of ``path``; Parquet keeps ``metadata``, too.

    In CSV lists are JSON. What was there stays until the new file is whole. Raises OSError.
    """
    temporary = path.with_name(f".tmp-{uuid.uuid4().hex}{path.suffix}")
    try:
        with temporary.open("xb") as file:
            if path.suffix == ".parquet":
                frame.write_parquet(file, metadata=dict(metadata))
            elif path.suffix == ".csv":
                _flat(frame).write_csv(file)
            else:
                frame.write_ndjson(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """With lists as the JSON of their values."""
    import json

    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.Series(
            name,
            [
                None if value is None else json.dumps(value, ensure_ascii=False, default=str)
                for value in frame[name].to_list()
            ],
            pl.String,
        )
        for name in nested
    )
